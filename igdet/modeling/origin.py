"""How images must be fed to weights, and whether a config feeds them so."""

from __future__ import annotations

import math
from dataclasses import dataclass

from detectron2.config import CfgNode

from igdet.modeling.trunk import family_of_member


@dataclass(frozen=True)
class Origin:
    """How images must be fed to weights; wrong values cost accuracy without any other sign.

    Attributes:
        format: "RGB" or "BGR".
        pixel_mean: of each channel in that order, 0..255.
        pixel_std: likewise.
        stride_in_1x1: whether a strided bottleneck block strides in its first 1x1 convolution, not in its 3x3;
            None where there are no such blocks.
        norm: the only MODEL.RESNETS.NORM that can hold them; None where any with the same tensors can.
    """

    format: str
    pixel_mean: tuple[float, ...]
    pixel_std: tuple[float, ...]
    stride_in_1x1: bool | None = None
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
            if None not in (given, needed) and not _same(given, needed):
                found.append(f"{key} is {_text(given)}, but they need {_text(needed)}")
        return found

    def in_words(self) -> str:
        """Say it in a line, for people."""
        numbers = [" ".join(f"{value:g}" for value in values) for values in (self.pixel_mean, self.pixel_std)]
        stride = {None: "", True: ", stride in the 1x1", False: ", stride in the 3x3"}[self.stride_in_1x1]
        return f"{self.format}, mean {numbers[0]}, std {numbers[1]}{stride}"


def _stride_in_1x1(cfg: CfgNode) -> bool | None:
    """The key is of Detectron2's own ResNets; a trunk of igdet's knows for itself."""
    family = family_of_member(cfg.MODEL.BACKBONE.NAME)
    return family.stride_in_1x1 if family else cfg.MODEL.RESNETS.STRIDE_IN_1X1


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


def _same(a: object, b: object) -> bool:
    if not isinstance(a, tuple) or not isinstance(b, tuple):
        return a == b
    # 0.01 of 255: rounding passes, two channels' standard deviations are told apart
    return len(a) == len(b) and all(math.isclose(x, y, abs_tol=0.01) for x, y in zip(a, b, strict=True))


def _text(value: object) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)
