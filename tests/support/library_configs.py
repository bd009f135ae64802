"""Configs of small models upon a trunk that another library builds."""

from detectron2.config import CfgNode, get_cfg

from igdet.config import add_igdet_config

SIDES = {"timm": 160, "torchvision": 64}  # pixels of a classifier's crops: those of timm's own networks for tests


def library_config(library: str, name: str, pyramid: bool = False, *opts: object) -> CfgNode:
    """The config of a classifier or, with a pyramid, of an R-CNN upon a network of a library."""
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.MODEL.DEVICE = "cpu"
    cfg.MODEL.BACKBONE.FREEZE_AT = 0
    cfg.MODEL.BACKBONE.NAME = f"{library}_FPN" if pyramid else library
    cfg.MODEL.META_ARCHITECTURE = "GeneralizedRCNN" if pyramid else "ImageClassifier"
    cfg.MODEL.FPN.IN_FEATURES = ["res2", "res3", "res4", "res5"]
    cfg.MODEL[library.upper()].NAME = name
    cfg.INPUT.CLASSIFICATION.TRAIN_CROP = cfg.INPUT.CLASSIFICATION.TEST_CROP = SIDES[library]
    cfg.merge_from_list(list(opts))
    return cfg
