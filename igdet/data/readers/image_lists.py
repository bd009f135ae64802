"""Classification data as text files: lists of "path id" such as Places365's, and CUB-200-2011's own."""

from pathlib import Path, PurePath

import numpy as np

from igdet.data.records import FileRecords, files_of_one_label
from igdet.formats.class_lists import read_lines
from igdet.formats.errors import DatasetError
from igdet.utils.messages import shown

IN_TRAIN = {"train": "1", "test": "0"}  # what train_test_split.txt says


def read_image_list(root: str, path: str, num_classes: int) -> FileRecords:
    """Read a list of images.

    Args:
        root: the folder that paths are relative to, also those that begin with a slash, as Places365's do; unless they
            are absolute and lie below it.
        path: the list: "PATH ID" a line, ids from 0.
        num_classes: every id is below.

    Raises:
        DatasetError: naming the line that is wrong, or the list is empty or no text.
    """
    lines = enumerate(read_lines(path), start=1)
    place = Path(root).absolute()
    rows = [_row(place, path, number, line, num_classes) for number, line in lines if line.strip()]
    if not rows:
        raise DatasetError(f"{path} lists no image; expected a line 'path id' for each")
    paths, class_ids = zip(*rows, strict=True)
    return files_of_one_label(root, paths, np.array(class_ids))


def _row(root: Path, path: str, number: int, line: str, num_classes: int) -> tuple[str, int]:
    image, _, class_id = line.strip().rpartition(" ")
    image = _relative(root, image.strip())
    if not image or not class_id.isdecimal():
        raise DatasetError(f"{path}: line {number} is {shown(line)}; expected 'path id'")
    if int(class_id) >= num_classes:
        raise DatasetError(
            f"{path}: line {number}, {image}, has the class {class_id}, but the list of classes has {num_classes}, "
            "numbered from 0: are list and classes of the same release?"
        )
    if ".." in PurePath(image).parts:
        raise DatasetError(f"{path}: line {number} leads out of ROOT: {shown(image)}")
    return image, int(class_id)


def _relative(root: Path, image: str) -> str:
    is_below = image.startswith("/") and PurePath(image).is_relative_to(root)
    return str(PurePath(image).relative_to(root)) if is_below else image.lstrip("/")


def read_cub2011(root: str, split: str) -> tuple[list[str], FileRecords]:
    """Read one of the two official parts.

    Args:
        root: the folder CUB_200_2011 as it is unpacked.
        split: "train" or "test".

    Returns:
        The class names, such as "001.Black_footed_Albatross", by id from 0; the images in the order of images.txt.

    Raises:
        DatasetError: another split; a file that is missing, or does not fit the others.
    """
    if split not in IN_TRAIN:
        raise DatasetError(f"SPLIT is {shown(split)}: expected {' or '.join(IN_TRAIN)}")
    classes, images = _read(root, "classes.txt"), _read(root, "images.txt")
    labels, parts = _read(root, "image_class_labels.txt"), _read(root, "train_test_split.txt")
    _require_same_images(root, images, image_class_labels=labels, train_test_split=parts)
    ids = {number: position for position, number in enumerate(classes)}
    chosen = [number for number in images if parts[number] == IN_TRAIN[split]]
    if not chosen or not set(parts.values()) <= set(IN_TRAIN.values()):
        raise DatasetError(
            f"{root}/train_test_split.txt: expected 1 (train) or 0 (test) for each image, and some of both; found "
            f"{', '.join(sorted(set(parts.values())))}"
        )
    unknown = [number for number in chosen if labels[number] not in ids]
    if unknown:
        raise DatasetError(
            f"{root}/image_class_labels.txt: image {unknown[0]} has the class {labels[unknown[0]]}, which is not in "
            "classes.txt"
        )
    class_ids = np.array([ids[labels[number]] for number in chosen])
    paths = [images[number] for number in chosen]
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


def _require_same_images(root: str, images: dict[str, str], **others: dict[str, str]) -> None:
    for file, rows in others.items():
        differing = sorted(images.keys() ^ rows.keys())
        if differing:
            raise DatasetError(
                f"{root}/{file}.txt and images.txt do not list the same images: {len(differing)} differ, such as "
                f"number {differing[0]}; unpack the archive again"
            )
