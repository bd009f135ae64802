"""CUB-200-2011 from its own files: images.txt, image_class_labels.txt, train_test_split.txt, classes.txt.

Its boxes and parts are not used. Source: Wah et al. 2011, "The Caltech-UCSD Birds-200-2011 Dataset".
"""

from pathlib import Path

import numpy as np

from igdet.data.errors import DatasetError
from igdet.data.records import FileRecords, files_of_one_label
from igdet.data.text_lines import read_lines
from igdet.utils.shown import shown

IN_TRAIN = {"train": "1", "test": "0"}  # what train_test_split.txt says


def read_cub2011(root: str, split: str) -> tuple[list[str], FileRecords]:
    """Read one of the two official parts.

    Args:
        root: the folder CUB_200_2011 as it is unpacked.
        split: "train" or "test".

    Returns:
        the class names, such as "001.Black_footed_Albatross", by id from 0; the pictures in the order of images.txt.

    Raises:
        DatasetError: another split; a file that is missing, or does not fit the others.
    """
    if split not in IN_TRAIN:
        raise DatasetError(f"SPLIT is {shown(split)}: expected {' or '.join(IN_TRAIN)}")
    classes, pictures = _read(root, "classes.txt"), _read(root, "images.txt")
    labels, parts = _read(root, "image_class_labels.txt"), _read(root, "train_test_split.txt")
    _require_same_pictures(root, pictures, image_class_labels=labels, train_test_split=parts)
    ids = {number: position for position, number in enumerate(classes)}
    chosen = [number for number in pictures if parts[number] == IN_TRAIN[split]]
    if not chosen or not set(parts.values()) <= set(IN_TRAIN.values()):
        raise DatasetError(
            f"{root}/train_test_split.txt: expected 1 (train) or 0 (test) for each picture, and some of both; found "
            f"{', '.join(sorted(set(parts.values())))}"
        )
    unknown = [number for number in chosen if labels[number] not in ids]
    if unknown:
        raise DatasetError(
            f"{root}/image_class_labels.txt: picture {unknown[0]} has the class {labels[unknown[0]]}, which is not in "
            "classes.txt"
        )
    class_ids = np.array([ids[labels[number]] for number in chosen])
    paths = [pictures[number] for number in chosen]
    return list(classes.values()), files_of_one_label(str(Path(root, "images")), paths, class_ids)


def _read(root: str, file: str) -> dict[str, str]:
    """Read lines "number value"."""
    path = Path(root, file)
    if not path.is_file():
        raise DatasetError(f"{path} does not exist; ROOT must be the folder CUB_200_2011 as it is unpacked")
    rows = {}
    for position, line in enumerate(read_lines(path), start=1):
        number, _, value = line.strip().partition(" ")
        if not value or number in rows:
            raise DatasetError(f"{path}: line {position} is {shown(line)}; expected 'number value', each number once")
        rows[number] = value
    return rows


def _require_same_pictures(root: str, pictures: dict[str, str], **others: dict[str, str]) -> None:
    for file, rows in others.items():
        differing = sorted(pictures.keys() ^ rows.keys())
        if differing:
            raise DatasetError(
                f"{root}/{file}.txt and images.txt do not list the same pictures: {len(differing)} differ, such as "
                f"number {differing[0]}; unpack the archive again"
            )
