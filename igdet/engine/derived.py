"""What a config need not write, because its file's name or its data say it already."""

from collections.abc import Collection
from pathlib import Path

from detectron2.config import CfgNode

from igdet.config.check import CLASS_COUNTS
from igdet.formats.targets import SPLITS, target_of
from igdet.formats.targets.target import whole_of

RUNS = "runs"  # the folder of all runs


def derive(cfg: CfgNode, written: Collection[str], config_file: str) -> None:
    """Fill in, in place, what follows from the rest; what is written stays.

    1. OUTPUT_DIR is runs/NAME for a config file NAME.yaml.
    2. NUM_CLASSES, of the classifier or of the detector's heads, is that of the named target of DATASETS.TRAIN.
    3. PointRend's NUM_CLASSES is that of the detector's heads.

    Args:
        cfg: the merged config, not frozen.
        written: the keys that its files and its command line set, such as "OUTPUT_DIR".
        config_file: its file; "" for none.
    """
    if config_file and "OUTPUT_DIR" not in written:
        cfg.OUTPUT_DIR = str(Path(RUNS, Path(config_file).stem))
    key, *_ = CLASS_COUNTS.get(cfg.MODEL.META_ARCHITECTURE, CLASS_COUNTS["GeneralizedRCNN"])
    classes = _classes_of_target(cfg)
    if classes is not None and key not in written:
        cfg.merge_from_list([key, classes])
    if "POINT_HEAD" in cfg.MODEL and "MODEL.POINT_HEAD.NUM_CLASSES" not in written:
        cfg.MODEL.POINT_HEAD.NUM_CLASSES = cfg.MODEL.ROI_HEADS.NUM_CLASSES


def _classes_of_target(cfg: CfgNode) -> int | None:
    """The number of classes that is known without reading any data; None for data of one's own."""
    for name in cfg.DATASETS.TRAIN:
        whole = whole_of(str(name)) or name
        if whole in SPLITS and not {name, whole} & cfg.DATASETS.OWN.keys():  # an entry of that name takes its place
            return target_of(whole).classes
    return None
