"""Held-out parts: so many images of every class, chosen by name; a training set in two to choose settings on."""

from collections.abc import Sequence

import numpy as np

from igdet.data.records import Records
from igdet.data.subsets import SubsetRecords, name_hashes
from igdet.formats.errors import DatasetError
from igdet.formats.targets.target import CHOICE
from igdet.utils.messages import shown

SPLITS = ("all", "train", "val")
SHARE = 0.2  # of each class, for NAME_choice; our choice, as PROBE.HELD_OUT's default is


def part_of(names: Sequence[str], class_ids: np.ndarray, held_out: int, split: str) -> np.ndarray:
    """Choose the images of a part.

    Of a class with n images, min(held_out, n // 2) are held out, as `is_held_out` chooses them.

    Shapes: N images, M of the part.

    Args:
        names: (N,): paths, of which only the file names count.
        class_ids: int (N,).
        held_out: images a class, >= 0.
        split: "val" for what is held out, "train" for the others, "all".

    Returns:
        int64 (M,): positions, ascending.

    Raises:
        DatasetError: another split, nothing held out to split off, or an empty part.
    """
    if split not in SPLITS or (split != "all") != (held_out > 0):
        raise DatasetError(
            f"SPLIT {shown(split)} with HELD_OUT {held_out}: expected train or val with a number of images a class "
            "of 1 or more, or all with none"
        )
    if split == "all":
        return np.arange(len(class_ids))
    val = is_held_out(names, class_ids, np.full(class_ids.max() + 1, held_out))
    chosen = np.flatnonzero(val if split == "val" else ~val)
    if not len(chosen):
        raise DatasetError(f"SPLIT {split} is empty: no class has two images, of which one could be held out")
    return chosen


def is_held_out(names: Sequence[str], class_ids: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Hold out the images of every class whose file names have the smallest hashes.

    So the choice does not depend on the order or place of the files, and an added image displaces at most one.

    Shapes: N images, L classes.

    Args:
        names: (N,): paths, of which only the file names count.
        class_ids: int (N,), 0..L-1.
        counts: int (L,): how many of each class, >= 0; of a class with n images at most n // 2 are taken.

    Returns:
        bool (N,).
    """
    hashes = name_hashes(names, len(class_ids))
    order = np.lexsort((hashes, class_ids))  # class by class, the smallest hash first
    sizes = np.bincount(class_ids)
    starts = np.cumsum(sizes) - sizes  # of each class in that order
    rank = np.arange(len(order)) - starts[class_ids[order]]  # 0, 1, ... within each class
    chosen = np.empty(len(order), dtype=bool)
    chosen[order] = rank < np.minimum(counts, sizes // 2)[class_ids[order]]
    return chosen


def tuning_part(whole: Records, part: str) -> SubsetRecords:
    """Cut a part out of a training set.

    Of a class with n images n // 5, but at least one and at most n // 2, are for the choice, by their file names as
    `is_held_out` takes them; the others are to fit on.

    Args:
        whole: one label a record.
        part: "fit" or "choice".

    Raises:
        DatasetError: no class has two images.
    """
    names = [whole.image_id(index) for index in range(len(whole))]
    counts = np.maximum(1, (SHARE * np.bincount(whole.label_ids)).astype(int))
    chosen = is_held_out(names, whole.label_ids, counts)
    if not chosen.any():
        raise DatasetError("no class has two images, of which one could be held out")
    return SubsetRecords(whole, np.flatnonzero(chosen if part == CHOICE else ~chosen))
