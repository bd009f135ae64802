"""Classification data as folders, one a class; the ImageNet variants, and the classes with the most images."""

import os
from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from igdet.data.held_out import part_of
from igdet.data.records import FileRecords, files_of_one_label
from igdet.formats.class_lists import read_class_list
from igdet.formats.errors import DatasetError
from igdet.formats.imagenet_lists import validation_number
from igdet.formats.images import describe, is_hidden, list_images


def class_folders(root: str) -> list[str]:
    """Return the names of the class folders, sorted.

    Raises:
        DatasetError: there is none.
    """
    present = folder_names(root)
    if not present:
        raise DatasetError(f"{root} holds no class folders; expected one folder a class with its images inside")
    return present


def folder_names(root: str) -> list[str]:
    """Return the names of the folders in a folder, sorted; there may be none."""
    return sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not is_hidden(entry.name))


def read_class_names(root: str, class_list: str) -> list[str]:
    """Return the class names; a class's id is its position.

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
    """List the images of class folders, those in folders below them too; `list_images` says which files are some.

    Args:
        root: the folder of class folders.
        class_names: the class folders, by class id.
        held_out, split: the part to keep; see `part_of`.

    Raises:
        DatasetError: a class folder has no image, or the part is none.
    """
    found = [list_images(root, name) for name in class_names]
    passed_over = sum((listing.passed_over for listing in found), Counter())
    empty = [name for name, listing in zip(class_names, found, strict=True) if not listing.images]
    if empty:
        others = f" (passed over: {describe(passed_over)})" if passed_over else ""
        raise DatasetError(
            f"{len(empty)} class folders in {root} have no images that can be read{others}: {empty[:5]}; "
            "fill them, or give a list of the other classes as CLASSES"
        )
    class_ids = np.repeat(np.arange(len(found), dtype=np.int32), [len(listing.images) for listing in found])
    paths = [path for listing in found for path in listing.images]
    kept = part_of(paths, class_ids, held_out, split)
    records = files_of_one_label(root, [paths[i] for i in kept], class_ids[kept])
    records.passed_over = passed_over
    records.note = f"Passed over: {describe(passed_over)}." if passed_over else ""
    return records


def read_evaluation_folder(root: str, class_list: str) -> tuple[list[str], list[int], FileRecords]:
    """Read class folders of which each is one of a classifier's classes.

    Args:
        root: the folder of class folders, named by class or, as in ImageNet-V2, by class id: 0, 1, 2, ...
        class_list: all of the classifier's classes, as `read_class_list` takes it.

    Returns:
        The classes; the ids that have a folder, ascending; the images.

    Raises:
        DatasetError: a folder is none of the classes, or has no image.
    """
    classes, present = read_class_list(class_list), class_folders(root)
    are_ids = all(name.isdecimal() for name in present)
    ids = {str(i) if are_ids else name: i for i, name in enumerate(classes)}
    unknown = [name for name in present if name not in ids]
    if unknown:
        raise DatasetError(f"{root} holds {len(unknown)} folders that are no class of {class_list}: {unknown[:5]}")
    folders = sorted(present, key=ids.__getitem__)
    answers = [ids[name] for name in folders]
    records = read_image_folder(root, folders)
    records.label_ids = np.array(answers, dtype=np.int32)[records.label_ids]  # position of the folder -> class id
    return classes, answers, records


def read_real(root: str, labels: Sequence[Sequence[int]]) -> FileRecords:
    """Read ImageNet's validation images with their ReaL labels, of which each is a right answer.

    Args:
        root: the folder of the images, which may lie in folders below.
        labels: of each validation image, by its number less one; images without any are left out.

    Raises:
        DatasetError: no image has a label.
        UserError: an image is none of ImageNet's validation images.
    """
    images, passed_over = list_images(root)
    found = [(path, labels[validation_number(path, len(labels)) - 1]) for path in images]
    labelled = [(path, allowed) for path, allowed in found if allowed]
    if not labelled:
        raise DatasetError(f"{root} holds none of ImageNet's validation images, ILSVRC2012_val_00000001.JPEG, ...")
    offsets = np.cumsum([0, *(len(allowed) for _, allowed in labelled)])
    ids = np.array([label for _, allowed in labelled for label in allowed], dtype=np.int32)
    records = FileRecords(root, pa.array([path for path, _ in labelled], pa.large_string()), offsets, ids)
    records.note = f"{len(found) - len(labelled)} images without a ReaL label are left out."
    records.passed_over = passed_over
    return records


def largest_classes(root: str, count: int, first: Sequence[str] = ()) -> list[str]:
    """Choose class folders: those of `first` that are there, then those with the most images, ties by name.

    Args:
        root: the folder of class folders.
        count: how many classes are wanted.
        first: classes that are wanted in any case.

    Returns:
        Their names, sorted.

    Raises:
        DatasetError: there are fewer class folders with images than wanted, or more wanted in any case.
    """
    folders = class_folders(root)
    _require_enough(folders, count, root)  # before the images are counted, which may take long
    sizes = {name: len(list_images(root, name).images) for name in tqdm(folders, unit=" classes")}
    present = {name for name, size in sizes.items() if size}
    chosen = present.intersection(first)
    _require_enough(present, count, root, len(chosen))
    others = sorted(present - chosen, key=lambda name: (-sizes[name], name))
    return sorted([*chosen, *others[: count - len(chosen)]])


def _require_enough(present: Collection[str], count: int, root: str, in_any_case: int = 0) -> None:
    smallest = max(1, in_any_case)
    if not smallest <= count <= len(present):
        those = "; those of --first are wanted in any case: --first '' drops them" if in_any_case else ""
        raise DatasetError(
            f"{count} classes are wanted of the {len(present)} in {root}, {in_any_case} of them in any case: expected "
            f"{smallest} to {len(present)}; folders without images do not count{those}"
        )
