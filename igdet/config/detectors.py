"""The checks of a detector's own keys: what its heads cannot do, and keys that contradict each other."""

from detectron2.config import CfgNode

from igdet.config.projects import POINT_REND
from igdet.utils.yaml import ConfigError

BOXES_ALONE = ("RetinaNet", "FCOS")  # meta-architectures without heads for masks and keypoints


def check_detector(cfg: CfgNode) -> None:
    """Refuse a detector that cannot run as its config has it.

    Args:
        cfg: its MODEL.META_ARCHITECTURE is no classifier's.

    Raises:
        ConfigError: naming the keys, their values and what to change.
    """
    for check in CHECKS:
        check(cfg)


def _check_tasks(cfg: CfgNode) -> None:
    architecture = cfg.MODEL.META_ARCHITECTURE
    for key in ("MASK_ON", "KEYPOINT_ON"):
        if architecture in BOXES_ALONE and cfg.MODEL[key]:
            raise ConfigError(
                f"MODEL.{key} is True, but MODEL.META_ARCHITECTURE {architecture} finds boxes alone: set it to False, "
                "or take GeneralizedRCNN"
            )


def _check_augmented_tests(cfg: CfgNode) -> None:
    architecture = cfg.MODEL.META_ARCHITECTURE
    if cfg.TEST.AUG.ENABLED and cfg.MODEL.KEYPOINT_ON:
        raise ConfigError("TEST.AUG.ENABLED is True: Detectron2 can augment tests of boxes and masks, not of keypoints")
    if cfg.TEST.AUG.ENABLED and architecture in BOXES_ALONE:
        raise ConfigError(f"TEST.AUG.ENABLED is True: Detectron2 can augment tests of R-CNNs, not of {architecture}")


def _check_box_head(cfg: CfgNode) -> None:
    if cfg.MODEL.ROI_BOX_HEAD.NORM and not cfg.MODEL.ROI_BOX_HEAD.NUM_CONV:
        raise ConfigError(
            f"MODEL.ROI_BOX_HEAD.NORM is {cfg.MODEL.ROI_BOX_HEAD.NORM}, but it normalises convolutions, and NUM_CONV "
            "is 0: set it to 4, as configs/Base-GN.yaml does, or NORM to ''"
        )


def _check_cascade(cfg: CfgNode) -> None:
    heads, cascade = cfg.MODEL.ROI_HEADS, cfg.MODEL.ROI_BOX_CASCADE_HEAD
    if heads.NAME != "CascadeROIHeads":
        return
    if not cfg.MODEL.ROI_BOX_HEAD.CLS_AGNOSTIC_BBOX_REG:
        raise ConfigError(
            "MODEL.ROI_BOX_HEAD.CLS_AGNOSTIC_BBOX_REG is False: expected True with CascadeROIHeads, a stage of which "
            "hands one box of each proposal to the next; configs/Base-Cascade-RCNN.yaml sets it"
        )
    if len(cascade.IOUS) != len(cascade.BBOX_REG_WEIGHTS):
        raise ConfigError(
            f"MODEL.ROI_BOX_CASCADE_HEAD.IOUS has {len(cascade.IOUS)} stages, BBOX_REG_WEIGHTS has "
            f"{len(cascade.BBOX_REG_WEIGHTS)}: give both one entry a stage"
        )
    if list(cascade.IOUS[:1]) != list(heads.IOU_THRESHOLDS):
        raise ConfigError(
            f"MODEL.ROI_HEADS.IOU_THRESHOLDS is {list(heads.IOU_THRESHOLDS)}, but MODEL.ROI_BOX_CASCADE_HEAD.IOUS is "
            f"{list(cascade.IOUS)}: expected the first of these alone, which is the first stage's"
        )


def _check_res5_heads(cfg: CfgNode) -> None:
    if cfg.MODEL.ROI_HEADS.NAME != "TrunkRes5ROIHeads" or cfg.MODEL.META_ARCHITECTURE in BOXES_ALONE:
        return
    for key in ("RESNETS.OUT_FEATURES", "ROI_HEADS.IN_FEATURES"):
        section, name = key.split(".")
        if list(cfg.MODEL[section][name]) != ["res4"]:
            raise ConfigError(
                f"MODEL.{key} is {list(cfg.MODEL[section][name])}: expected [res4] with TrunkRes5ROIHeads, which has "
                "res5 itself"
            )
    if cfg.MODEL.KEYPOINT_ON:
        raise ConfigError("MODEL.KEYPOINT_ON is True, but TrunkRes5ROIHeads finds boxes and masks: set it to False")
    if cfg.MODEL.MOE.EXPERTS and "res5" in cfg.MODEL.MOE.STAGES:
        raise ConfigError(
            "MODEL.MOE.STAGES has res5, but TrunkRes5ROIHeads runs res5 on regions, and experts are chosen by image: "
            "name other stages, or set EXPERTS to 0"
        )


def _check_point_rend(cfg: CfgNode) -> None:
    heads, masks = cfg.MODEL.ROI_HEADS, cfg.MODEL.ROI_MASK_HEAD
    if not cfg.MODEL.MASK_ON or masks.NAME not in POINT_REND:
        return
    points = cfg.MODEL.POINT_HEAD
    if cfg.INPUT.MASK_FORMAT != "bitmask":
        raise ConfigError(
            f"INPUT.MASK_FORMAT is {cfg.INPUT.MASK_FORMAT}: expected bitmask with {masks.NAME}, which looks single "
            "points up"
        )
    if points.NUM_CLASSES != heads.NUM_CLASSES:
        raise ConfigError(
            f"MODEL.POINT_HEAD.NUM_CLASSES is {points.NUM_CLASSES}, but MODEL.ROI_HEADS.NUM_CLASSES is "
            f"{heads.NUM_CLASSES}: leave the first out, and it follows"
        )
    for section in ("ROI_MASK_HEAD", "POINT_HEAD"):
        wanted = list(cfg.MODEL[section].IN_FEATURES)
        if not {*wanted} <= {*heads.IN_FEATURES}:
            raise ConfigError(
                f"MODEL.{section}.IN_FEATURES is {wanted}: expected some of MODEL.ROI_HEADS.IN_FEATURES, "
                f"{list(heads.IN_FEATURES)}"
            )


def _check_jitter(cfg: CfgNode) -> None:
    if not cfg.INPUT.LARGE_SCALE_JITTER.SIDE:
        return
    if cfg.INPUT.CROP.ENABLED:
        raise ConfigError("INPUT.CROP.ENABLED is True, but INPUT.LARGE_SCALE_JITTER.SIDE crops as well: choose one")
    if cfg.MODEL.MASK_ON and cfg.INPUT.MASK_FORMAT != "bitmask":
        raise ConfigError(
            f"INPUT.MASK_FORMAT is {cfg.INPUT.MASK_FORMAT}: expected bitmask with INPUT.LARGE_SCALE_JITTER: an "
            "object that is cropped away has an empty mask, but no polygon"
        )


CHECKS = (
    _check_tasks,
    _check_augmented_tests,
    _check_box_head,
    _check_cascade,
    _check_res5_heads,
    _check_point_rend,
    _check_jitter,
)
