"""Whether a config feeds weights the images that they need."""

import math

from detectron2.config import CfgNode

from igdet.formats.origin import Origin
from igdet.modeling.trunk import family_of_member


def origin_of_config(cfg: CfgNode) -> Origin:
    """Return what a model trained with this config expects."""
    return Origin(cfg.INPUT.FORMAT, tuple(cfg.MODEL.PIXEL_MEAN), tuple(cfg.MODEL.PIXEL_STD), _stride_in_1x1(cfg))


def contradictions(origin: Origin, cfg: CfgNode) -> list[str]:
    """Say which keys of a config feed weights something else than they were trained on.

    Args:
        origin: what the weights need.
        cfg: a config.

    Returns:
        a line for each such key, with the value it should have; empty when the config fits.
    """
    found = []
    for field, (key, read) in _KEYS.items():
        given, needed = read(cfg), getattr(origin, field)
        if None not in (given, needed) and not _same(given, needed):
            found.append(f"{key} is {_text(given)}, but they need {_text(needed)}")
    return found


def _stride_in_1x1(cfg: CfgNode) -> bool | None:
    """The key is of Detectron2's own ResNets; a trunk of igdet's knows for itself."""
    family = family_of_member(cfg.MODEL.BACKBONE.NAME)
    return family.stride_in_1x1 if family else cfg.MODEL.RESNETS.STRIDE_IN_1X1


# Field of Origin -> (config key, how its value is read).
_KEYS = {
    "format": ("INPUT.FORMAT", lambda cfg: cfg.INPUT.FORMAT),
    "pixel_mean": ("MODEL.PIXEL_MEAN", lambda cfg: tuple(cfg.MODEL.PIXEL_MEAN)),
    "pixel_std": ("MODEL.PIXEL_STD", lambda cfg: tuple(cfg.MODEL.PIXEL_STD)),
    "stride_in_1x1": ("MODEL.RESNETS.STRIDE_IN_1X1", _stride_in_1x1),
    "norm": ("MODEL.RESNETS.NORM", lambda cfg: cfg.MODEL.RESNETS.NORM),
}


def _same(a: object, b: object) -> bool:
    if not isinstance(a, tuple) or not isinstance(b, tuple):
        return a == b
    # 0.01 of 255: rounding passes, two channels' standard deviations are told apart
    return len(a) == len(b) and all(math.isclose(x, y, abs_tol=0.01) for x, y in zip(a, b, strict=True))


def _text(value: object) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)
