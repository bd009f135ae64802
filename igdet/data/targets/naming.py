"""From the name of a target's data set, such as cub2011_test, to its fields."""

import os
from pathlib import Path

from igdet.data.class_lists import is_file
from igdet.data.targets.table import TARGETS
from igdet.data.targets.target import Split, Target

# Fields that are paths: relative to the folder of all data sets in the table, to the current folder in YAML.
PATHS = ("ROOT", "ANNOTATIONS", "VOCABULARY", "CLASSES", "LIST")

SPLITS: dict[str, Split] = {
    f"{target}_{name}": split for target, known in TARGETS.items() for name, split in known.splits.items()
}


def datasets_folder() -> str:
    """The folder of all data sets, as for Detectron2's builtin ones: $DETECTRON2_DATASETS, or `datasets`."""
    return os.environ.get("DETECTRON2_DATASETS", "datasets")


def fields_of(name: str, folder: str) -> dict[str, object]:
    """Give a data set's KIND and fields.

    Args:
        name: one of `SPLITS`.
        folder: the folder of all data sets.
    """
    fields = SPLITS[name].fields
    return {key: str(Path(folder, value)) if is_path(key, value) else value for key, value in fields.items()}


def target_of(name: str) -> Target:
    """Give the target of one of `SPLITS`."""
    return TARGETS[name.rpartition("_")[0]]


def is_path(key: str, value: object) -> bool:
    """Whether a field is a path that must exist."""
    return key in PATHS and (key != "CLASSES" or is_file(value))
