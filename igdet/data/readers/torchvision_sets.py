"""Classification sets that torchvision reads: its classes find the files and labels, igdet opens the images.

torchvision has no public way to the files without decoding every image, so this table says where each class keeps
them; a test compares each row with what the class itself returns.
"""

import os
from collections.abc import Callable, Mapping
from operator import attrgetter
from pathlib import Path

import numpy as np
from torchvision import datasets
from torchvision.datasets import VisionDataset

from igdet.data.held_out import part_of
from igdet.data.records import ArrayRecords, Records, files_of_one_label
from igdet.formats.errors import DatasetError
from igdet.utils.command_lines import command_line
from igdet.utils.messages import did_you_mean, shown
from igdet.utils.versions import NEEDS, too_old

Samples = list[tuple[str, int]]  # path and class id of each image


def _two_lists(paths: str, labels: str) -> Callable[[VisionDataset], Samples]:
    return lambda data: list(zip(attrgetter(paths)(data), attrgetter(labels)(data), strict=True))


def _inaturalist(data: VisionDataset) -> Samples:
    return [(f"{data.root}/{data.all_categories[label]}/{file}", label) for label, file in data.index]


_files_and_labels = _two_lists("_image_files", "_labels")
_private_samples = attrgetter("_samples")
_samples = attrgetter("samples")

FILES: dict[str, Callable[[VisionDataset], Samples]] = {
    "Country211": _samples,
    "DTD": _files_and_labels,
    "EuroSAT": _samples,
    "FGVCAircraft": _files_and_labels,
    "Flowers102": _files_and_labels,
    "Food101": _files_and_labels,
    "GTSRB": _private_samples,
    "INaturalist": _inaturalist,
    "ImageNet": _samples,
    "Imagenette": _private_samples,
    "OxfordIIITPet": _two_lists("_images", "_labels"),
    "RenderedSST2": _private_samples,
    "StanfordCars": _private_samples,
    "SUN397": _files_and_labels,
}
# Images in memory, with the name of their labels; uint8, (N, 32, 32, 3) or with the channels before the sides.
ARRAYS = {"CIFAR10": "targets", "CIFAR100": "targets", "STL10": "labels", "SVHN": "labels"}
CLASSES = sorted({*FILES, *ARRAYS})
# Sets whose classes torchvision does not always name.
NUM_CLASSES = {"GTSRB": 43, "STL10": 10, "SVHN": 10}


def read_torchvision_set(
    root: str, kind: str, arguments: Mapping, held_out: int = 0, split: str = "all"
) -> tuple[list[str], Records]:
    """Read a set.

    Args:
        root: the folder that torchvision calls `root`.
        kind: one of `CLASSES`.
        arguments: others of the class, such as {"split": "train"}.
        held_out, split: the part to keep of what they give; see `part_of`.

    Returns:
        The class names; the images, those that are files sorted by path.

    Raises:
        DatasetError: the class is unknown, its arguments are, its files are not there, or the part is empty.
    """
    data = _open(root, kind, arguments)
    names = _class_names(data, kind)
    if kind in ARRAYS:
        images, labels = _channels_last(data.data), np.asarray(getattr(data, ARRAYS[kind]), dtype=np.int32)
        kept = part_of([f"{i:06d}" for i in range(len(labels))], labels, held_out, split)
        return names, ArrayRecords(images[kept], labels[kept])
    samples = sorted((os.path.relpath(path, root), int(label)) for path, label in FILES[kind](data))
    labels = np.array([label for _, label in samples], dtype=np.int32)
    kept = part_of([path for path, _ in samples], labels, held_out, split)
    return names, files_of_one_label(root, [samples[i][0] for i in kept], labels[kept])


def download(fields: Mapping) -> None:
    """Let torchvision fetch the files of a data set.

    Args:
        fields: of DATASETS.OWN.

    Raises:
        DatasetError: it is none of torchvision's, or torchvision cannot.
    """
    if fields["KIND"] != "torchvision":
        raise DatasetError(f"a {fields['KIND']} cannot be downloaded; only sets of the kind torchvision can")
    Path(fields["ROOT"]).mkdir(parents=True, exist_ok=True)
    _open(fields["ROOT"], fields["CLASS"], {**fields["ARGS"], "download": True})


def _open(root: str, kind: str, arguments: Mapping) -> VisionDataset:
    if kind not in CLASSES:
        raise DatasetError(f"CLASS is {shown(kind)}: expected one of {', '.join(CLASSES)}{did_you_mean(kind, CLASSES)}")
    if (feature := f"CLASS {kind}") in NEEDS and (reason := too_old(feature)):
        raise DatasetError(reason)
    try:
        return getattr(datasets, kind)(root, **arguments)
    except (RuntimeError, OSError, ValueError, TypeError, ImportError) as error:
        raise DatasetError(
            f"torchvision's {kind} cannot be opened in {root} with ARGS {dict(arguments)}: {error}. "
            f"`{command_line('check_dataset')} NAME --download` lets torchvision fetch the files where it can"
        ) from error


def _class_names(data: VisionDataset, kind: str) -> list[str]:
    if kind in NUM_CLASSES:
        return [str(number) for number in range(NUM_CLASSES[kind])]
    # wnids, where there are any: the lemmas of two synsets may be the same. iNaturalist has categories.
    return list(next(getattr(data, key) for key in ("wnids", "classes", "all_categories") if hasattr(data, key)))


def _channels_last(images: np.ndarray) -> np.ndarray:
    """Return (N, 3, H, W) or (N, H, W, 3) as (N, H, W, 3), in one piece."""
    if images.shape[1] == 3 != images.shape[-1]:
        images = images.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images)
