"""The checks of architectures that label pixels: MODEL.SEM_SEG_HEAD against the rest of a config and the data."""

from detectron2.config import CfgNode
from detectron2.data.catalog import Metadata

from igdet.utils.yaml import ConfigError

SEGMENTORS = ("SemanticSegmentor", "PanopticFPN")  # meta-architectures with a MODEL.SEM_SEG_HEAD


def labels_pixels(cfg: CfgNode) -> bool:
    """Whether a config's architecture has a MODEL.SEM_SEG_HEAD."""
    return cfg.MODEL.META_ARCHITECTURE in SEGMENTORS


def check_segmentor(cfg: CfgNode) -> None:
    """Refuse a segmentor that cannot run as its config has it.

    Args:
        cfg: its MODEL.META_ARCHITECTURE is one of `SEGMENTORS`.

    Raises:
        ConfigError: naming the keys, their values and what to change.
    """
    architecture, head, freeze_at = cfg.MODEL.META_ARCHITECTURE, cfg.MODEL.SEM_SEG_HEAD, cfg.MODEL.BACKBONE.FREEZE_AT
    for key in ("MASK_ON", "KEYPOINT_ON"):
        if architecture == "SemanticSegmentor" and cfg.MODEL[key]:
            raise ConfigError(
                f"MODEL.{key} is True, but MODEL.META_ARCHITECTURE {architecture} labels pixels alone: set it to False"
            )
    if cfg.TEST.AUG.ENABLED:
        raise ConfigError(f"TEST.AUG.ENABLED is True: Detectron2 can augment tests of R-CNNs, not of {architecture}")
    if cfg.INPUT.LARGE_SCALE_JITTER.SIDE:
        raise ConfigError(
            f"INPUT.LARGE_SCALE_JITTER.SIDE is {cfg.INPUT.LARGE_SCALE_JITTER.SIDE}: expected 0 with {architecture}: "
            "Detectron2 0.6 pads label maps with class 0. INPUT.CROP crops them"
        )
    if head.NAME == "LinearSegHead" and head.STANDARDIZE and freeze_at < 5:
        raise ConfigError(
            f"MODEL.SEM_SEG_HEAD.STANDARDIZE is True with MODEL.BACKBONE.FREEZE_AT {freeze_at}: expected 5: averaged "
            "statistics are those of a trunk that does not change"
        )


def check_ignored(cfg: CfgNode, key: str, name: str, metadata: Metadata) -> None:
    """Refuse a head that would learn, or be scored by, the pixels that a data set leaves out.

    Args:
        cfg: of a segmentor.
        key: where the data set is named.
        name: of the data set.
        metadata: its own.

    Raises:
        ConfigError: naming both values.
    """
    ours, theirs = cfg.MODEL.SEM_SEG_HEAD.IGNORE_VALUE, metadata.get("ignore_label")
    if ours != theirs:
        raise ConfigError(
            f"MODEL.SEM_SEG_HEAD.IGNORE_VALUE is {ours}, but pixels that do not count are {theirs} in {name} of {key}: "
            f"set it to {theirs}"
        )
