"""What pictures weights were trained on, and whether a config feeds them the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from detectron2.config import CfgNode
from torch import Tensor

from igdet.checkpoint.errors import WeightsError
from igdet.checkpoint.key_maps import CAFFE2, CAFFE2_GN, TORCHVISION_NAMING


@dataclass(frozen=True)
class Origin:
    """How pictures must be fed to weights; wrong values cost accuracy without any other sign.

    Attributes:
        format: "RGB" or "BGR".
        pixel_mean: of each channel in that order, 0..255.
        pixel_std: likewise.
        stride_in_1x1: whether a strided bottleneck block strides in its first 1x1 convolution, not in its 3x3.
        norm: the only MODEL.RESNETS.NORM that can hold them; None where any with the same tensors can.
    """

    format: str
    pixel_mean: tuple[float, ...]
    pixel_std: tuple[float, ...]
    stride_in_1x1: bool
    norm: str | None = None

    @classmethod
    def of_config(cls, cfg: CfgNode) -> Origin:
        """What a model trained with this config expects."""
        return cls(cfg.INPUT.FORMAT, tuple(cfg.MODEL.PIXEL_MEAN), tuple(cfg.MODEL.PIXEL_STD), _stride_in_1x1(cfg))

    def contradictions(self, cfg: CfgNode) -> list[str]:
        """Say which keys of a config feed these weights something else than they were trained on.

        Args:
            cfg: a config.

        Returns:
            a line for each such key, with the value it should have; empty when the config fits.
        """
        found = []
        for field, (key, read) in CONFIG_KEYS.items():
            given, needed = read(cfg), getattr(self, field)
            if needed is not None and not _same(given, needed):
                found.append(f"{key} is {_text(given)}, but they need {_text(needed)}")
        return found


def check_fed(path: str, origin: Origin | None, cfg: CfgNode) -> None:
    """Refuse a config that feeds weights something else than they were trained on.

    Args:
        path: of the weights.
        origin: theirs; None when unknown.
        cfg: the config.

    Raises:
        WeightsError: naming each key, its value and the value it should have.
    """
    wrong = origin.contradictions(cfg) if origin else []
    if wrong:
        raise WeightsError(f"{path}: the config feeds these weights the wrong way: {'; '.join(wrong)}")


FAMILY = ("X_", "R_")  # how the names of igdet's networks begin; Detectron2's begin otherwise


def _stride_in_1x1(cfg: CfgNode) -> bool:
    """igdet's networks stride in the 3x3, whatever the key says: True is Detectron2's default."""
    return cfg.MODEL.RESNETS.STRIDE_IN_1X1 and not cfg.MODEL.BACKBONE.NAME.startswith(FAMILY)


# Field of Origin -> (config key, how its value is read).
CONFIG_KEYS = {
    "format": ("INPUT.FORMAT", lambda cfg: cfg.INPUT.FORMAT),
    "pixel_mean": ("MODEL.PIXEL_MEAN", lambda cfg: tuple(cfg.MODEL.PIXEL_MEAN)),
    "pixel_std": ("MODEL.PIXEL_STD", lambda cfg: tuple(cfg.MODEL.PIXEL_STD)),
    "stride_in_1x1": ("MODEL.RESNETS.STRIDE_IN_1X1", _stride_in_1x1),
    "norm": ("MODEL.RESNETS.NORM", lambda cfg: cfg.MODEL.RESNETS.NORM),
}

# 255 x (0.485, 0.456, 0.406) and 255 x (0.229, 0.224, 0.225): torchvision, timm's ResNets and the hashtag weights.
TORCHVISION = Origin("RGB", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375), stride_in_1x1=False)
# MSRA's ResNets, and FAIR's ResNeXt-101 in Detectron2's model zoo.
MSRA = Origin("BGR", (103.53, 116.28, 123.675), (1.0, 1.0, 1.0), stride_in_1x1=True)
FAIR_RESNEXT = Origin("BGR", (103.53, 116.28, 123.675), (57.375, 57.12, 58.395), stride_in_1x1=False)

# (norm, whether convolutions are grouped) -> origin. "folded": batch norms turned into a scale and a shift, which only
# FrozenBN can hold. Source: the notes in Detectron2's checkpoint/catalog.py and MODEL_ZOO.md.
_DETECTRON = {
    ("BN", False): MSRA,
    ("BN", True): FAIR_RESNEXT,
    ("folded", False): replace(MSRA, norm="FrozenBN"),
    ("folded", True): replace(MSRA, stride_in_1x1=False, norm="FrozenBN"),
    ("GN", False): replace(MSRA, stride_in_1x1=False, norm="GN"),
    ("GN", True): replace(MSRA, stride_in_1x1=False, norm="GN"),
}
_ZOO_AUTHORS = ("Caffe2", "Detectron2 Model Zoo")


def recognise_origin(naming: str, author: str, trunk: Mapping[str, Tensor]) -> Origin | None:
    """Tell the origin of a file that does not state it.

    Args:
        naming: as `key_maps.to_bare` gives it.
        author: the file's "__author__", or "".
        trunk: its tensors under bare names.

    Returns:
        the origin, or None when nothing tells it.
    """
    if TORCHVISION_NAMING in (naming, author):
        return TORCHVISION
    if naming in (CAFFE2, CAFFE2_GN) or author in _ZOO_AUTHORS:
        return _DETECTRON[_norm(naming, trunk), _is_grouped(trunk)]
    return None


def _norm(naming: str, trunk: Mapping[str, Tensor]) -> str:
    if "stem.conv1.norm.running_mean" in trunk:
        return "BN"
    return "folded" if naming == CAFFE2 else "GN"


def _is_grouped(trunk: Mapping[str, Tensor]) -> bool:
    """Whether this is a ResNeXt: a grouped 3x3 convolution sees fewer channels than it gives out."""
    weight = trunk.get("res2.0.conv2.weight")
    return weight is not None and weight.shape[1] < weight.shape[0]


def _same(a: object, b: object) -> bool:
    if not isinstance(a, tuple):
        return a == b
    # 0.01 of 255: rounding passes, two channels' standard deviations are told apart
    return len(a) == len(b) and all(math.isclose(x, y, abs_tol=0.01) for x, y in zip(a, b, strict=True))


def _text(value: object) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)
