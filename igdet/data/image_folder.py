"""Classification data as folders: one folder a class, named after it. What is hidden, .NAME, is passed over."""

import os

import numpy as np

from igdet.data.class_lists import read_class_list
from igdet.data.errors import DatasetError
from igdet.data.held_out import part_of
from igdet.data.records import FileRecords, files_of_one_label

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


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
    return sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not _is_hidden(entry.name))


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
    """List the pictures of class folders, those in folders below them too.

    Args:
        root: the folder of class folders.
        class_names: the class folders, by class id.
        held_out, split: the part to keep; see `part_of`.

    Raises:
        DatasetError: a class folder has no picture, or the part is none.
    """
    found = [list_pictures(root, name) for name in class_names]
    empty = [name for name, pictures in zip(class_names, found, strict=True) if not pictures]
    if empty:
        raise DatasetError(
            f"{len(empty)} class folders in {root} have no pictures ({', '.join(PICTURE_SUFFIXES)}): {empty[:5]}; fill "
            "them, or give a list of the other classes as CLASSES"
        )
    class_ids = np.repeat(np.arange(len(found), dtype=np.int32), [len(pictures) for pictures in found])
    paths = [path for pictures in found for path in pictures]
    kept = part_of(paths, class_ids, held_out, split)
    return files_of_one_label(root, [paths[i] for i in kept], class_ids[kept])


def list_pictures(root: str, folder: str = "") -> list[str]:
    """List the pictures below a folder of the root, relative to the root, sorted; links are followed, as people link
    class folders."""
    pictures = []
    for where, folders, files in os.walk(os.path.join(root, folder), followlinks=True):  # noqa: PTH118
        folders[:] = [name for name in folders if not _is_hidden(name)]  # the walk goes on in these
        pictures += [
            os.path.relpath(os.path.join(where, file), root)  # noqa: PTH118 (hot: a million files)
            for file in files
            if file.lower().endswith(PICTURE_SUFFIXES) and not _is_hidden(file)
        ]
    return sorted(pictures)


def _is_hidden(name: str) -> bool:
    """Whether a file or folder is some program's own, such as .ipynb_checkpoints or ._1.jpg."""
    return name.startswith(".")
