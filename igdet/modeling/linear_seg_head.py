"""The linear probe of segmentation: a class for each cell of a frozen trunk's maps by one 1x1 convolution.

Shapes: N images of H x W pixels, L classes; a map of stride s has ceil(H / s) x ceil(W / s) cells of C channels.
"""

from collections.abc import Mapping

import torch
from detectron2.config import CfgNode, configurable
from detectron2.layers import ShapeSpec
from detectron2.modeling import SEM_SEG_HEADS_REGISTRY
from torch import Tensor, nn
from torch.nn import functional


@SEM_SEG_HEADS_REGISTRY.register()
class LinearSegHead(nn.Module):
    """Batch normalisation without scale and shift, a 1x1 convolution, and logits enlarged bilinearly to the image.

    As DINOv2 (Oquab et al. 2023, arXiv 2304.07193, section 7.4) evaluates segmentation: linear in the features, so the
    score is the features'. Of several maps the channels are put together. A 1x1 convolution and a bilinear enlargement
    may change places, so each map has its part of the convolution at its own resolution, and the parts' logits are
    added at that of the finest map: the coarse maps' channels are never enlarged.

    Keys of MODEL.SEM_SEG_HEAD: IN_FEATURES (which maps), NUM_CLASSES, STANDARDIZE, IGNORE_VALUE, LOSS_WEIGHT. NORM,
    CONVS_DIM and COMMON_STRIDE are those of SemSegFPNHead and mean nothing here.
    """

    @configurable
    def __init__(
        self,
        input_shape: Mapping[str, ShapeSpec],
        *,
        num_classes: int,
        standardise: bool = True,
        ignore_value: int = 255,
        loss_weight: float = 1.0,
    ):
        """Build the head with new weights.

        Args:
            input_shape: channels and stride of each map, one or more.
            num_classes: L.
            standardise: whether each channel has mean 0 and variance 1 before the convolution; the trunk does not
                change, so statistics for evaluation are averages over all batches.
            ignore_value: the label of pixels without a loss.
            loss_weight: factor of the loss.
        """
        super().__init__()
        shapes = dict(sorted(input_shape.items(), key=lambda item: item[1].stride or 1))
        self.strides = {name: shape.stride or 1 for name, shape in shapes.items()}
        self.finest = next(iter(shapes))
        self.norms = nn.ModuleDict()
        self.predictors = nn.ModuleDict()
        for name, shape in shapes.items():
            channels = shape.channels or 0
            self.norms[name] = nn.BatchNorm2d(channels, affine=False, momentum=None) if standardise else nn.Identity()
            self.predictors[name] = _predictor(channels, num_classes, bias=name == self.finest)
        self.ignore_value = ignore_value
        self.loss_weight = loss_weight

    @classmethod
    def from_config(cls, cfg: CfgNode, input_shape: Mapping[str, ShapeSpec]) -> dict:
        """Read the constructor's arguments from a config."""
        head = cfg.MODEL.SEM_SEG_HEAD
        return {
            "input_shape": {name: input_shape[name] for name in head.IN_FEATURES},
            "num_classes": head.NUM_CLASSES,
            "standardise": head.STANDARDIZE,
            "ignore_value": head.IGNORE_VALUE,
            "loss_weight": head.LOSS_WEIGHT,
        }

    def forward(
        self, features: Mapping[str, Tensor], targets: Tensor | None = None
    ) -> tuple[Tensor | None, dict[str, Tensor]]:
        """Return logits in evaluation, the loss in training.

        Args:
            features: name -> float (N, C, H / stride, W / stride).
            targets: int64 (N, H, W), classes or `ignore_value`; in training only.

        Returns:
            (float (N, L, H or a little more, W likewise), {}), or (None, {"loss_sem_seg": scalar}).
        """
        logits, stride = self.logits(features), self.strides[self.finest]
        height, width = (side * stride for side in logits.shape[2:])
        if not self.training or targets is None:
            return _enlarged(logits, stride, height, width), {}
        targets = targets[:, :height, :width]  # a trunk that rounds down has not seen the rest
        return None, {"loss_sem_seg": self.loss_weight * self.loss(logits, targets)}

    def logits(self, features: Mapping[str, Tensor]) -> Tensor:
        """From the maps to float (N, L, h, w) at the resolution of the finest."""
        height, width = features[self.finest].shape[2:]
        parts = []
        for name, predictor in self.predictors.items():
            part = predictor(self.norms[name](features[name]))  # (N, L, H / stride, W / stride)
            parts.append(_enlarged(part, self.strides[name] // self.strides[self.finest], height, width))
        return torch.stack(parts).sum(dim=0)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy, the mean over all pixels of the batch that count; 0 where none does.

        Args:
            logits: float (N, L, h, w).
            targets: int64 (N, H, W): the loss is that of the image's pixels, not of the map's cells.
        """
        logits = _enlarged(logits.float(), self.strides[self.finest], *targets.shape[1:])
        total = functional.cross_entropy(logits, targets, ignore_index=self.ignore_value, reduction="sum")
        return total / (targets != self.ignore_value).sum().clamp(min=1)


def _predictor(channels: int, num_classes: int, bias: bool) -> nn.Conv2d:
    """A 1x1 convolution that begins as the classifier does."""
    predictor = nn.Conv2d(channels, num_classes, kernel_size=1, bias=bias)
    nn.init.normal_(predictor.weight, std=0.01)
    if predictor.bias is not None:
        nn.init.zeros_(predictor.bias)
    return predictor


def _enlarged(maps: Tensor, factor: int, height: int, width: int) -> Tensor:
    """Enlarge maps bilinearly; what an image that is no multiple of a stride leaves over is cut off.

    A cell keeps its place: cell i of a map covers the pixels from i * stride on, whatever the image's size.
    """
    if factor > 1:
        maps = functional.interpolate(maps, scale_factor=factor, mode="bilinear", align_corners=False)
    return maps[:, :, :height, :width]
