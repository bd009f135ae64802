"""Whether a detector's heads take maps that its backbone gives; Detectron2 would stop at a KeyError or an assertion."""

from collections.abc import Iterator

from detectron2.config import CfgNode

from igdet.modeling.trunk import family_of_member
from igdet.utils.yaml import ConfigError

# Meta-architecture -> sections of MODEL whose IN_FEATURES name maps of the backbone.
SECTIONS = {
    "GeneralizedRCNN": ("RPN", "ROI_HEADS"),
    "RetinaNet": ("RETINANET",),
    "FCOS": ("FCOS",),
    "SemanticSegmentor": ("SEM_SEG_HEAD",),
    "PanopticFPN": ("RPN", "ROI_HEADS", "SEM_SEG_HEAD"),
}
WITHOUT_ANCHORS = ("ROI_HEADS", "FCOS", "SEM_SEG_HEAD")


def check_levels(cfg: CfgNode) -> None:
    """Refuse heads on maps that are not there, and anchors of another number of maps.

    Args:
        cfg: a config; of backbones of others than igdet's families nothing is known.

    Raises:
        ConfigError: naming the keys and what there is.
    """
    family, name = family_of_member(cfg.MODEL.BACKBONE.NAME), cfg.MODEL.BACKBONE.NAME
    if family is None:
        return
    given = family.levels(cfg)
    for section in _sections(cfg):
        wanted = list(cfg.MODEL[section].IN_FEATURES)
        if missing := [level for level in wanted if level not in given]:
            raise ConfigError(
                f"MODEL.{section}.IN_FEATURES is {wanted}, but MODEL.BACKBONE.NAME {name} gives {', '.join(given)} and "
                f"no {', '.join(missing)}: name maps that it gives, or another backbone (docs/DETECTORS.md)"
            )
        if section not in WITHOUT_ANCHORS:
            _check_anchors(cfg, section, len(wanted))


def _sections(cfg: CfgNode) -> Iterator[str]:
    for section in SECTIONS.get(cfg.MODEL.META_ARCHITECTURE, ()):
        if section != "RPN" or cfg.MODEL.PROPOSAL_GENERATOR.NAME == "RPN":
            yield section


def _check_anchors(cfg: CfgNode, section: str, number: int) -> None:
    for key in ("SIZES", "ASPECT_RATIOS"):
        entries = cfg.MODEL.ANCHOR_GENERATOR[key]
        if isinstance(entries[0], list | tuple) and len(entries) not in (1, number):
            raise ConfigError(
                f"MODEL.ANCHOR_GENERATOR.{key} has {len(entries)} entries, but MODEL.{section}.IN_FEATURES names "
                f"{number} maps: give one entry a map, or one for all"
            )
