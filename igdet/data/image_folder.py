"""Classification data as folders: one folder a class, named after it. What is hidden, .NAME, is passed over."""

import os
from collections import Counter

import numpy as np

from igdet.data.class_lists import read_class_list
from igdet.data.errors import DatasetError
from igdet.data.held_out import part_of
from igdet.data.records import FileRecords, files_of_one_label
from igdet.utils.image_files import describe, is_hidden, list_images


def class_folders(root: str) -> list[str]:
    """Give the names of the class folders, sorted.

    Raises:
        DatasetError: there is none.
    """
    present = folder_names(root)
    if not present:
        raise DatasetError(f"{root} holds no class folders; expected one folder a class with its pictures inside")
    return present


def folder_names(root: str) -> list[str]:
    """Give the names of the folders in a folder, sorted; there may be none."""
    return sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not is_hidden(entry.name))


def read_class_names(root: str, class_list: str) -> list[str]:
    """Give the class names; a class's id is its position.

    Args:
        root: the folder of class folders.
        class_list: the class folders to keep, as `read_class_list` takes it; "" keeps all, sorted by name.

    Raises:
        DatasetError: there is no class folder, or the list names one that is not there, or one twice.
    """
    present = class_folders(root)
    if not class_list:
        return present
    names = read_class_list(class_list)
    missing = sorted(set(names) - set(present))
    if missing:
        raise DatasetError(f"{class_list} names {len(missing)} classes without a folder in {root}: {missing[:5]}")
    return names


def read_image_folder(root: str, class_names: list[str], held_out: int = 0, split: str = "all") -> FileRecords:
    """List the pictures of class folders, those in folders below them too; `list_images` says which files are some.

    Args:
        root: the folder of class folders.
        class_names: the class folders, by class id.
        held_out, split: the part to keep; see `part_of`.

    Raises:
        DatasetError: a class folder has no picture, or the part is none.
    """
    found = [list_images(root, name) for name in class_names]
    passed_over = sum((listing.passed_over for listing in found), Counter())
    empty = [name for name, listing in zip(class_names, found, strict=True) if not listing.images]
    if empty:
        others = f" (passed over: {describe(passed_over)})" if passed_over else ""
        raise DatasetError(
            f"{len(empty)} class folders in {root} have no pictures that can be read{others}: {empty[:5]}; "
            "fill them, or give a list of the other classes as CLASSES"
        )
    class_ids = np.repeat(np.arange(len(found), dtype=np.int32), [len(listing.images) for listing in found])
    paths = [path for listing in found for path in listing.images]
    kept = part_of(paths, class_ids, held_out, split)
    records = files_of_one_label(root, [paths[i] for i in kept], class_ids[kept])
    records.passed_over = passed_over
    records.note = f"Passed over: {describe(passed_over)}." if passed_over else ""
    return records
