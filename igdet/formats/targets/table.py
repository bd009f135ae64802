"""The named targets: where their files are expected and what they hold; from a data set's name to its fields."""

import os
from pathlib import Path
from typing import Any

from igdet.formats.class_lists import is_file
from igdet.formats.targets.target import OFFICIAL_TEST, OFFICIAL_VAL, ONLY_EVALUATION, Split, TargetTask
from igdet.formats.targets.torchvision_table import TORCHVISION_TARGETS

IN1K, IN22K = "timm:imagenet-1k", "timm:imagenet-22k"
# Fields that are paths: relative to the folder of all data sets in the table, to the current folder in YAML.
PATHS = ("ROOT", "ANNOTATIONS", "VOCABULARY", "CLASSES", "LIST", "MASKS", "INSTANCES")


def _folders(root: str, train: int, val: int) -> dict[str, Split]:
    return {
        split: Split({"KIND": "image_folder", "ROOT": f"{root}/{split}"}, images)
        for split, images in (("train", train), ("val", val))
    }


def _imagenet_2011(class_list: str = "") -> dict[str, Split]:
    fields = {"KIND": "image_folder", "ROOT": "imagenet22k/images", "HELD_OUT": 50}
    if class_list:
        fields["CLASSES"] = f"imagenet22k/{class_list}"
    return {split: Split({**fields, "SPLIT": split}, None) for split in ("train", "val")}


def _places365() -> dict[str, Split]:
    parts = {"train": ("data_256", "places365_train_standard", 1_803_460), "val": ("val_256", "places365_val", 36_500)}
    return {
        split: Split(
            {
                "KIND": "image_list",
                "ROOT": f"places365/{folder}",
                "LIST": f"places365/{listed}.txt",
                "CLASSES": "places365/categories_places365.txt",
            },
            images,
        )
        for split, (folder, listed, images) in parts.items()
    }


def _cub2011() -> dict[str, Split]:
    return {
        split: Split({"KIND": "cub2011", "ROOT": "CUB_200_2011", "SPLIT": split}, images)
        for split, images in (("train", 5_994), ("test", 5_794))
    }


def _variant(root: str, images: int) -> dict[str, Split]:
    return {"test": Split({"KIND": "evaluation_folder", "ROOT": root, "CLASSES": IN1K}, images)}


def _coco(annotations: str) -> dict[str, Split]:
    return {
        split: Split(
            {
                "KIND": "coco",
                "ROOT": f"coco/{split}2017",
                "ANNOTATIONS": f"coco/annotations/{annotations}_{split}2017.json",
            },
            images,
        )
        for split, images in (("train", 118_287), ("val", 5_000))
    }


def _lvis() -> dict[str, Split]:
    """LVIS v1 shares out COCO's train2017 and val2017 in its own way."""
    return {
        split: Split({"KIND": "lvis", "ROOT": "coco", "ANNOTATIONS": f"lvis/lvis_v1_{split}.json"}, images)
        for split, images in (("train", 100_170), ("val", 19_809))
    }


FIFTY = "50 images of every class, half of those with fewer than 100"
IN2011 = "the Fall 2011 release of image-net.org, unpacked into a folder a synset"
BY_RULE = f"{IN2011}; the list by `tools/list_largest_classes.py`: the paper's own was never released"

TARGETS: dict[str, TargetTask] = {
    "imagenet1k": TargetTask(
        "ImageNet-1k",
        1000,
        _folders("imagenet", 1_281_167, 50_000),
        OFFICIAL_VAL,
        "image-net.org, ILSVRC 2012",
        IN1K,
        images_seen=6_400_000,  # 5 x 1.28 million
    ),
    "imagenet5k": TargetTask(
        "ImageNet-5k",
        5000,
        _imagenet_2011("imagenet5k.txt"),
        FIFTY,
        BY_RULE,
        IN22K,
        images_seen=5 * 5_000 * 1_300,  # about as many as the largest classes have
    ),
    "imagenet9k": TargetTask(
        "ImageNet-9k",
        9000,
        _imagenet_2011("imagenet9k.txt"),
        FIFTY,
        BY_RULE,
        IN22K,
        images_seen=5 * 9_000 * 1_300,
    ),
    "imagenet22k": TargetTask(
        "ImageNet-22k",
        21_841,
        _imagenet_2011(),
        FIFTY,
        IN2011,
        IN22K,
        images_seen=65_500_000,  # 5 x 13.1 million: 14.2 million less 50 a class
    ),
    "cub2011": TargetTask(
        "CUB2011", 200, _cub2011(), OFFICIAL_TEST, "Caltech, CUB_200_2011.tgz", images_seen=100 * 5_994
    ),
    "places365": TargetTask(
        "Places365",
        365,
        _places365(),
        OFFICIAL_VAL,
        "places2.csail.mit.edu, small images, lists",
        images_seen=9_000_000,  # 5 x 1.8 million
    ),
    "places365_easy": TargetTask(
        "Places365, easy format",
        365,
        _folders("places365_standard", 1_803_460, 36_500),
        OFFICIAL_VAL,
        "places2.csail.mit.edu, easy directory structure",
        images_seen=9_000_000,
    ),
    **TORCHVISION_TARGETS,
    "imagenet_a": TargetTask(
        "ImageNet-A", 200, _variant("imagenet-a", 7_500), ONLY_EVALUATION, "its authors' archive", "timm:imagenet-a"
    ),
    "imagenet_r": TargetTask(
        "ImageNet-R", 200, _variant("imagenet-r", 30_000), ONLY_EVALUATION, "its authors' archive", "timm:imagenet-r"
    ),
    "imagenet_v2": TargetTask(
        "ImageNet-V2",
        1000,
        _variant("imagenetv2-matched-frequency-format-val", 10_000),
        ONLY_EVALUATION,
        "its authors' archive, matched frequency",
    ),
    "imagenet_sketch": TargetTask(
        "ImageNet-Sketch", 1000, _variant("sketch", 50_889), ONLY_EVALUATION, "its authors' archive", IN1K
    ),
    "imagenet_real": TargetTask(
        "ImageNet ReaL",
        1000,
        # 50,000 images, of which 3,163 have no ReaL label
        {"test": Split({"KIND": "imagenet_real", "ROOT": "imagenet/val"}, 46_837)},
        ONLY_EVALUATION,
        "ImageNet-1k's validation set; labels with timm",
    ),
    "coco_2017": TargetTask("COCO boxes and masks", 80, _coco("instances"), OFFICIAL_VAL, "cocodataset.org"),
    "keypoints_coco_2017": TargetTask("COCO keypoints", 1, _coco("person_keypoints"), OFFICIAL_VAL, "cocodataset.org"),
    "lvis_v1": TargetTask(
        "LVIS v1", 1203, _lvis(), OFFICIAL_VAL, "lvisdataset.org, beside COCO's images of train2017 and val2017"
    ),
}


SPLITS: dict[str, Split] = {
    f"{target}_{name}": split for target, known in TARGETS.items() for name, split in known.splits.items()
}


def datasets_folder() -> str:
    """The folder of all data sets, as for Detectron2's builtin ones: $DETECTRON2_DATASETS, or `datasets`."""
    return os.environ.get("DETECTRON2_DATASETS", "datasets")


def fields_of(name: str, folder: str) -> dict[str, Any]:
    """Return a data set's KIND and fields.

    Args:
        name: one of `SPLITS`.
        folder: the folder of all data sets.
    """
    fields = SPLITS[name].fields
    return {key: str(Path(folder, value)) if is_path(key, value) else value for key, value in fields.items()}


def target_of(name: str) -> TargetTask:
    """Return the target of one of `SPLITS`."""
    return TARGETS[name.rpartition("_")[0]]


def transfer_options(name: str) -> list[str]:
    """Return the KEY VALUE pairs that lead a classifier's config of `configs` to a target.

    Args:
        name: one of `TARGETS` that has a length of training.

    Returns:
        Its training set, its last split to evaluate on, and the length.
    """
    target = TARGETS[name]
    train, *_, test = target.splits
    return [
        *("DATASETS.TRAIN", f"('{name}_{train}',)"),
        *("DATASETS.TEST", f"('{name}_{test}',)"),
        *("SOLVER.IMAGES_SEEN", str(target.images_seen)),
    ]


def is_path(key: str, value: str) -> bool:
    """Whether a field is a path that must exist."""
    return key in PATHS and value != "" and (key != "CLASSES" or is_file(value))
