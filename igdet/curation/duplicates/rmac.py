"""R-MAC features: maxima over regions of a network's last feature map, summed; needs torch and Detectron2.

Source: Tolias, Sicre and Jegou 2016, "Particular object retrieval with integral max-pooling of CNN activations",
arXiv 1511.05879, section 4. For its whitening see `igdet.curation.duplicates.vectors`.
Shape shorthand: N images, C channels, H x W the feature map.
"""

from collections.abc import Sequence

import numpy as np
import torch
from detectron2.config import get_cfg
from torch import Tensor
from torch.nn import functional

from igdet.checkpoint.checkpointer import IgdetCheckpointer
from igdet.config import add_igdet_config, merge_config_file
from igdet.modeling import ImageClassifier
from igdet.modeling.trunk import family_named
from igdet.utils.yaml import ConfigError

SCALES = 3  # L of the paper
OVERLAP = 0.4  # of neighbouring regions of the first scale, about
_MOST_STEPS = 6  # regions along the longer side of the first scale: 2..7


def regions(height: int, width: int) -> list[tuple[int, int, int]]:
    """Lay square regions over a feature map: at scale l with sides of 2 min(H, W) / (l + 1), evenly spaced.

    Args:
        height: H.
        width: W.

    Returns:
        (top, left, side) of each.
    """
    short, extra = min(height, width), _extra_regions(height, width)
    found = []
    for scale in range(1, SCALES + 1):
        side = max(1, 2 * short // (scale + 1))
        rows = _starts(height, side, scale + (extra if height > width else 0))
        columns = _starts(width, side, scale + (extra if width > height else 0))
        found += [(top, left, side) for top in rows for left in columns]
    return found


def _extra_regions(height: int, width: int) -> int:
    """How many regions more lie along the longer side: so many that the first scale's overlap is nearest to OVERLAP."""
    short, spare = min(height, width), abs(height - width)
    if not spare:
        return 0
    # `steps` + 1 regions of side `short` start spare / steps apart and overlap in the share 1 - spare / steps / short.
    return min(range(1, _MOST_STEPS + 1), key=lambda steps: abs(1 - spare / steps / short - OVERLAP))


def _starts(length: int, side: int, count: int) -> list[int]:
    return [int(start) for start in np.linspace(0, length - side, count)]


def rmac(features: Tensor) -> Tensor:
    """Pool feature maps: the maximum over each region, scaled to length 1, summed, scaled to length 1.

    Args:
        features: float (N, C, H, W), not negative.

    Returns:
        float (N, C).
    """
    # A region's maxima are scaled before they are added: each region has one vote, however bright it is. The dot
    # product of two sums is then the sum of the cosines of all pairs of regions, and a crop still shares most of its
    # regions.
    total = torch.zeros_like(features[:, :, 0, 0])  # (N, C)
    for top, left, side in regions(*features.shape[2:]):
        maxima = features[:, :, top : top + side, left : left + side].amax(dim=(2, 3))  # (N, C)
        total = total + functional.normalize(maxima, dim=1)
    return functional.normalize(total, dim=1)


class RmacDescriber:
    """Describes images by the trunk of a network; see `igdet.curation.duplicates.vectors.Describer`.

    Args:
        model: the network, whose classifier is not used.
        is_bgr: whether it takes the channels of an image in that order.
    """

    def __init__(self, model: ImageClassifier, is_bgr: bool = False):
        self._model = model.eval()
        self._is_bgr = is_bgr
        shape = model.backbone.output_shape()[model.feature]
        if shape.stride is None:
            raise ConfigError("R-MAC needs a feature map, and networks of timm pool theirs: name another backbone")
        self.dim, self.stride = shape.channels, shape.stride

    @classmethod
    def from_config(cls, config_file: str, weights: str = "") -> "RmacDescriber":
        """Build the network of a config, of a classifier or a detector, and load its weights.

        Args:
            config_file: igdet's or Detectron2's YAML.
            weights: file or name; "" for MODEL.WEIGHTS of the config.

        Raises:
            ConfigError: the config is wrong.
            WeightsError: the weights do not fit.
        """
        cfg = get_cfg()
        add_igdet_config(cfg)
        merge_config_file(cfg, config_file)
        family = family_named(cfg.MODEL.BACKBONE.NAME)
        if family is None:
            raise ConfigError(
                f"MODEL.BACKBONE.NAME of {config_file} is {cfg.MODEL.BACKBONE.NAME}: expected one of igdet's trunks, "
                "such as X_101_32x8d"
            )
        family.set_classifier(cfg)
        model = ImageClassifier(cfg).to("cuda" if torch.cuda.is_available() else "cpu")
        IgdetCheckpointer(model, cfg=cfg).load(weights or cfg.MODEL.WEIGHTS, checkpointables=[])
        return cls(model, is_bgr=cfg.INPUT.FORMAT == "BGR")

    @torch.inference_mode()
    def __call__(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Describe images, those of one size together.

        Args:
            images: n of uint8 (H, W, 3) RGB, H and W multiples of the stride.

        Returns:
            float32 (n, D), of length 1.
        """
        described = np.empty((len(images), self.dim), np.float32)
        shapes = np.array([image.shape[:2] for image in images])
        for shape in np.unique(shapes, axis=0):
            chosen = np.flatnonzero((shapes == shape).all(axis=1)).tolist()
            described[chosen] = self._describe(np.stack([images[i] for i in chosen]))
        return described

    def _describe(self, batch: np.ndarray) -> np.ndarray:
        channels = batch[..., ::-1] if self._is_bgr else batch
        images = torch.from_numpy(channels.transpose(0, 3, 1, 2).copy()).to(self._model.device).float()
        images = (images - self._model.pixel_mean) / self._model.pixel_std
        features = self._model.backbone(images.contiguous(memory_format=torch.channels_last))
        return rmac(features[self._model.feature]).cpu().numpy()
