"""Classification data as folders: one folder a class, named after it."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa

from igdet.data.errors import DatasetError
from igdet.data.records import FileRecords

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


def read_class_names(root: str, class_list: str) -> list[str]:
    """Give the class names; a class's id is its position.

    Args:
        root: the folder of class folders.
        class_list: a file of the class folders to keep, one a line, in order; "" keeps all, sorted by name.

    Raises:
        DatasetError: there is no class folder, or the list names one that is not there, or one twice.
    """
    present = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    if not present:
        raise DatasetError(f"{root} holds no class folders; expected one folder a class with its pictures inside")
    if not class_list:
        return present
    lines = Path(class_list).read_text(encoding="utf-8-sig").splitlines()
    names = [line.strip() for line in lines if line.strip()]
    missing = sorted(set(names) - set(present))
    if missing:
        raise DatasetError(f"{class_list} names {len(missing)} classes without a folder in {root}: {missing[:5]}")
    if not names or len(set(names)) != len(names):
        raise DatasetError(f"{class_list} must name each class once, and at least one; it names {len(names)}")
    return names


def read_image_folder(root: str, class_names: list[str]) -> FileRecords:
    """List the pictures of class folders, those in folders below them too.

    Args:
        root: the folder of class folders.
        class_names: the class folders, by class id.

    Raises:
        DatasetError: a class folder has no picture.
    """
    paths = [_pictures(root, name) for name in class_names]
    for name, found in zip(class_names, paths, strict=True):
        if not found:
            raise DatasetError(f"{Path(root, name)} has no pictures ({', '.join(PICTURE_SUFFIXES)})")
    class_ids = np.repeat(np.arange(len(paths), dtype=np.int32), [len(found) for found in paths])
    all_paths = pa.array([path for found in paths for path in found], pa.large_string())
    return FileRecords(root, all_paths, np.arange(len(class_ids) + 1), class_ids)


def _pictures(root: str, class_name: str) -> list[str]:
    """List a class's pictures, relative to the root, sorted; links are followed, as people link class folders."""
    return sorted(
        os.path.relpath(os.path.join(folder, file), root)  # noqa: PTH118 (hot: a million files)
        for folder, _, files in os.walk(os.path.join(root, class_name), followlinks=True)  # noqa: PTH118
        for file in files
        if file.lower().endswith(PICTURE_SUFFIXES)
    )
