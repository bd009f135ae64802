"""Keys of Detectron2's projects, which a config has from where its files or its command line name their heads on."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from yacs.config import CfgNode

from igdet.utils.yaml import ConfigError

POINT_REND = ("PointRendMaskHead", "ImplicitPointRendMaskHead")  # MODEL.ROI_MASK_HEAD.NAME


def add_project_keys(cfg: CfgNode, content: Mapping) -> None:
    """Add PointRend's keys, with their defaults, to a config in place where it gets PointRend's mask head.

    Args:
        cfg: a config, before `content` is merged into it.
        content: of a config file.

    Raises:
        ConfigError: this Detectron2 has no PointRend.
    """
    if _at(content, "MODEL", "ROI_MASK_HEAD", "NAME") not in POINT_REND or "POINT_HEAD" in cfg.MODEL:
        return
    own = set(cfg.MODEL)
    try:
        import_module("detectron2.projects.point_rend").add_pointrend_config(cfg)
    except ImportError as error:
        raise ConfigError(
            "MODEL.ROI_MASK_HEAD.NAME is a head of PointRend, but this Detectron2 comes without "
            f"detectron2.projects.point_rend ({error}): name another head, or install Detectron2 from its sources"
        ) from error
    for name in set(cfg.MODEL) - own:
        cfg.MODEL[name] = type(cfg)(cfg.MODEL[name])  # nodes of one class, or yacs does not merge them


def _at(content: Any, *keys: str) -> Any:
    """The value below some keys, None where one of them is not there."""
    for key in keys:
        content = content.get(key) if isinstance(content, Mapping) else None
    return content
