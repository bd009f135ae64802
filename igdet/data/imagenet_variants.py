"""Sets made to evaluate ImageNet-1k classifiers: ImageNet-A, -R, -V2, -Sketch as folders, and the ReaL labels.

A picture's label is an id among the classifier's classes. Where a set has only some of them, only those can be answers.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from igdet.data.class_lists import read_class_list
from igdet.data.errors import DatasetError
from igdet.data.image_folder import class_folders, read_image_folder
from igdet.data.records import FileRecords
from igdet.utils.image_files import list_images
from igdet.utils.imagenet_lists import validation_number


def read_evaluation_folder(root: str, class_list: str) -> tuple[list[str], list[int], FileRecords]:
    """Read class folders of which each is one of a classifier's classes.

    Args:
        root: the folder of class folders, named by class or, as in ImageNet-V2, by class id: 0, 1, 2, ...
        class_list: all of the classifier's classes, as `read_class_list` takes it.

    Returns:
        the classes; the ids that have a folder, ascending; the pictures.

    Raises:
        DatasetError: a folder is none of the classes, or has no picture.
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
    records.hashtag_ids = np.array(answers, dtype=np.int32)[records.hashtag_ids]  # position of the folder -> class id
    return classes, answers, records


def read_real(root: str, labels: Sequence[Sequence[int]]) -> FileRecords:
    """Read ImageNet's validation pictures with their ReaL labels, of which each is a right answer.

    Args:
        root: the folder of the pictures, which may lie in folders below.
        labels: of each validation picture, by its number less one; pictures without any are left out.

    Raises:
        DatasetError: no picture has a label.
        UserError: a picture is none of ImageNet's validation pictures.
    """
    images, passed_over = list_images(root)
    found = [(path, labels[validation_number(path, len(labels)) - 1]) for path in images]
    labelled = [(path, allowed) for path, allowed in found if allowed]
    if not labelled:
        raise DatasetError(f"{root} holds none of ImageNet's validation pictures, ILSVRC2012_val_00000001.JPEG, ...")
    offsets = np.cumsum([0, *(len(allowed) for _, allowed in labelled)])
    ids = np.array([label for _, allowed in labelled for label in allowed], dtype=np.int32)
    records = FileRecords(root, pa.array([path for path, _ in labelled], pa.large_string()), offsets, ids)
    records.note = f"{len(found) - len(labelled)} pictures without a ReaL label are left out."
    records.passed_over = passed_over
    return records
