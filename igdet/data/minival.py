"""A part of a COCO training set held out for choices such as the learning rate, so that val is looked at once."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from igdet.data.draws.randomness import name_number
from igdet.data.readers.coco import read_annotations
from igdet.formats.errors import DatasetError
from igdet.utils.files import atomic_write

REQUIRED_KEYS = {"images": ("id", "file_name", "width", "height"), "annotations": ("id", "image_id")}


@dataclass(frozen=True)
class Cut:
    """What was written for one annotation file: paths and numbers of images and annotations."""

    fit: Path
    minival: Path
    images: tuple[int, int]
    annotations: tuple[int, int]


def cut_minival(files: Sequence[Path], count: int, seed: int, folder: Path, never: Iterable[Path] = ()) -> list[Cut]:
    """Split annotation files of the same images into minival and the rest.

    An image goes to the minival by a hash of its id and the seed: the same images for boxes and for keypoints, on
    every machine.

    Args:
        files: annotation files of one training set, such as instances and person_keypoints.
        count: images of the minival, > 0.
        seed: >= 0; another one takes others.
        folder: gets two files for each: instances_fit2017.json and instances_minival2017.json of
            instances_train2017.json.
        never: annotation files of images that must not be among these, such as val's.

    Raises:
        OSError: a file cannot be read.
        DatasetError: a file is none of COCO's, there are too few images, the files are of different images, or an
            image is among those of `never`.
    """
    ids = None
    cuts = []
    evaluated = {
        image["file_name"]: path for path in never for image in read_annotations(path, REQUIRED_KEYS)["images"]
    }
    for path in files:
        content = read_annotations(path, REQUIRED_KEYS)
        found = {image["id"] for image in content["images"]}
        for image in content["images"]:
            if image["file_name"] in evaluated:
                raise DatasetError(
                    f"{path}: image {image['file_name']} is also in {evaluated[image['file_name']]}; a minival is "
                    "cut from training images that are in no evaluation set"
                )
        if ids is not None and found != ids:
            raise DatasetError(f"{path}: its images are not those of {files[0]}; give files of the same training set")
        if not 0 < count < len(found):
            raise DatasetError(f"{path}: cannot hold {count:,} of {len(found):,} images out; some must be left")
        ids = found
        held_out = set(sorted(found, key=lambda image: name_number(f"{seed}/{image}"))[:count])
        cuts.append(_write(path, content, held_out, folder))
    return cuts


def _write(path: Path, content: dict, held_out: set[int], folder: Path) -> Cut:
    written, images, annotations = [], [], []
    for name, wanted in (("fit", False), ("minival", True)):
        part = {
            **content,
            "images": [image for image in content["images"] if (image["id"] in held_out) == wanted],
            "annotations": [item for item in content["annotations"] if (item["image_id"] in held_out) == wanted],
        }
        renamed = path.stem.replace("train", name) if "train" in path.stem else f"{path.stem}_{name}"
        written.append(folder / f"{renamed}.json")
        images.append(len(part["images"]))
        annotations.append(len(part["annotations"]))
        with atomic_write(written[-1], "w") as file:
            json.dump(part, file)
    train, val = written
    return Cut(train, val, (images[0], images[1]), (annotations[0], annotations[1]))
