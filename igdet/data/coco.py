"""COCO json: checked at start-up, registered for Detectron2's loaders and evaluators."""

import json
from collections.abc import Callable
from pathlib import Path, PurePath

from detectron2.data.datasets import load_coco_json

from igdet.data.annotation_faults import fault_of
from igdet.data.bad_records import BadRecordLog
from igdet.data.errors import DatasetError
from igdet.data.keypoint_metadata import keypoint_metadata, require_keypoint_names
from igdet.utils.coco_json import CocoJsonError, Keys, path_of, read_coco_json
from igdet.utils.files import atomic_write

REQUIRED_KEYS: Keys = {
    "images": ("id", "file_name", "height", "width"),
    "categories": ("id", "name"),
    "annotations": ("id", "image_id", "category_id", "bbox"),
}


def prepare_coco(fields: dict[str, str], log: BadRecordLog) -> tuple[dict, Callable[[], list[dict]]]:
    """Check a COCO json and say how to load it.

    Annotations that cannot be used are named in the log and left out; then training and evaluation both read a copy
    without them, which lies beside the log.

    Args:
        fields: ROOT, the folder of the pictures, and ANNOTATIONS, the json file.
        log: counts and names the annotations that are left out.

    Returns:
        The data set's metadata, and the function that loads it in Detectron2's form.

    Raises:
        DatasetError: the file is no COCO json, or nothing is left.
        BadRecordsError: too many annotations cannot be used.
    """
    content, metadata = read_usable(fields, log, REQUIRED_KEYS)
    metadata |= keypoint_metadata(content["categories"], fields["ANNOTATIONS"])
    return metadata, lambda: load_coco_json(metadata["json_file"], fields["ROOT"], log.data_set)


def read_usable(fields: dict[str, str], log: BadRecordLog, required: Keys) -> tuple[dict, dict]:
    """Read a json of COCO's structure without the annotations that cannot be used, which the log names.

    Args:
        fields: ROOT, the folder of the pictures, and ANNOTATIONS, the json file.
        log: counts and names the annotations that are left out.
        required: the keys of each table.

    Returns:
        The content, categories by id; and what Detectron2 wants to know of any such set. Its "json_file" is the file
        that holds the content: where something is left out, a copy beside the log.

    Raises:
        DatasetError: the file is no such json, a picture lies outside ROOT, or nothing is left.
        BadRecordsError: too many annotations cannot be used.
    """
    path = fields["ANNOTATIONS"]
    content = read_annotations(path, required)
    content["categories"].sort(key=lambda category: category["id"])
    for category in content["categories"]:
        require_keypoint_names(path, category)
    metadata = {"json_file": path, "image_root": fields["ROOT"], **_class_metadata(content["categories"])}
    kept = _keep_usable(content, log)
    if not kept:
        raise DatasetError(f"{path} has no usable annotation")
    if len(kept) < len(content["annotations"]):
        content["annotations"] = kept
        metadata["json_file"] = str(log.path.parent / "checked_annotations" / f"{log.data_set}.json")
        with atomic_write(metadata["json_file"], "w") as file:
            json.dump(content, file)
    for image in content["images"]:
        _require_inside(path, image)
    return content, metadata


def _class_metadata(categories: list[dict]) -> dict:
    return {
        "thing_classes": [category["name"] for category in categories],
        "thing_dataset_id_to_contiguous_id": {category["id"]: i for i, category in enumerate(categories)},
    }


def _require_inside(path: str, image: dict) -> None:
    name = image.get("file_name", "")
    if not isinstance(name, str):
        raise DatasetError(f"{path}: image {image['id']} has the file name {name!r}; expected text")
    parts = PurePath(path_of(image))
    if parts.is_absolute() or ".." in parts.parts:
        raise DatasetError(
            f"{path}: image {image['id']} leads out of ROOT: {path_of(image)!r}; expected a path relative to it"
        )


def read_annotations(path: str | Path, required: Keys) -> dict:
    """Read a json of COCO's structure, as `read_coco_json` does, for a data set.

    Raises:
        DatasetError: the file is no such json; single annotations may still be of no use.
    """
    try:
        return read_coco_json(path, required)
    except CocoJsonError as error:
        raise DatasetError(str(error)) from error


def _keep_usable(content: dict, log: BadRecordLog) -> list[dict]:
    sizes = {image["id"]: (image["width"], image["height"]) for image in content["images"]}
    keypoints = {category["id"]: len(category.get("keypoints") or ()) for category in content["categories"]}
    faults = [fault_of(annotation, sizes, keypoints) for annotation in content["annotations"]]
    bad = [
        (f"annotation {annotation['id']} of image {annotation['image_id']}", why)
        for annotation, why in zip(content["annotations"], faults, strict=True)
        if why
    ]
    log.add(len(faults), bad)
    return [annotation for annotation, why in zip(content["annotations"], faults, strict=True) if not why]
