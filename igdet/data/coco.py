"""COCO json: checked at start-up, registered for Detectron2's loaders and evaluators."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath

from detectron2.data.datasets import load_coco_json

from igdet.data.bad_records import BadRecordLog
from igdet.data.errors import DatasetError
from igdet.data.keypoint_metadata import keypoint_metadata
from igdet.utils.coco_faults import TASKS
from igdet.utils.coco_json import CocoJsonError, Keys, is_plain_json, path_of, read_coco_json
from igdet.utils.coco_verdicts import judge
from igdet.utils.files import atomic_write
from igdet.utils.shown import shown

REQUIRED_KEYS: Keys = {
    "images": ("id", "file_name", "height", "width"),
    "categories": ("id", "name"),
    "annotations": ("id", "image_id", "category_id", "bbox"),
}


def prepare_coco(
    fields: dict, log: BadRecordLog, tasks: Sequence[str] = TASKS
) -> tuple[dict, Callable[[], list[dict]]]:
    """Check a COCO json and say how to load it.

    Annotations that cannot be used are named in the log and left out, and missing values are computed; then training
    and evaluation both read a copy, which lies beside the log.

    Args:
        fields: ROOT, the folder of the images, and ANNOTATIONS, the json file; KEYPOINT_PAIRS, the left and right
            keypoints, where their names do not tell.
        log: counts and names the annotations that are left out.
        tasks: of "bbox", "segm" and "keypoints", those that the set is used for.

    Returns:
        The data set's metadata, and the function that loads it in Detectron2's form.

    Raises:
        DatasetError: the file is no COCO json, or nothing is left.
        BadRecordsError: too many annotations cannot be used.
    """
    content, metadata = read_usable(fields, log, REQUIRED_KEYS, tasks)
    if "keypoints" in tasks:
        metadata |= keypoint_metadata(content["categories"], fields["ANNOTATIONS"], fields.get("KEYPOINT_PAIRS", ()))
    return metadata, lambda: load_coco_json(metadata["json_file"], fields["ROOT"], log.data_set)


def read_usable(fields: dict, log: BadRecordLog, required: Keys, tasks: Sequence[str]) -> tuple[dict, dict]:
    """Read a json of COCO's structure without the annotations that cannot be used, which the log names.

    Args:
        fields: ROOT, the folder of the images, and ANNOTATIONS, the json file.
        log: counts and names the annotations that are left out.
        required: the keys of each table.
        tasks: as `prepare_coco` takes them.

    Returns:
        The content, categories by id; and what Detectron2 wants to know of any such set. Its "json_file" is the file
        that holds the content: where it is not what the file holds, a copy beside the log.

    Raises:
        DatasetError: the file is no such json, an image lies outside ROOT, or nothing is left.
        BadRecordsError: too many annotations cannot be used.
    """
    path = fields["ANNOTATIONS"]
    content = read_annotations(path, required)
    try:
        verdicts = judge(path, content, tasks)
    except CocoJsonError as error:
        raise DatasetError(str(error)) from error
    log.notes += verdicts.notes
    log.add(len(content["annotations"]), verdicts.refused)
    content = verdicts.content
    content["categories"].sort(key=lambda category: category["id"])
    if not content["annotations"]:
        raise DatasetError(f"{path} has no usable annotation")
    for image in content["images"]:
        _require_inside(path, fields["ROOT"], image)
    metadata = {"json_file": path, "image_root": fields["ROOT"], **_class_metadata(content["categories"])}
    if verdicts.changed or not is_plain_json(path):
        metadata["json_file"] = str(log.path.parent / "checked_annotations" / f"{log.data_set}.json")
        with atomic_write(metadata["json_file"], "w") as file:
            json.dump(content, file)
    return content, metadata


def _class_metadata(categories: list[dict]) -> dict:
    return {
        "thing_classes": [category["name"] for category in categories],
        "thing_dataset_id_to_contiguous_id": {category["id"]: i for i, category in enumerate(categories)},
    }


def _require_inside(path: str, root: str, image: dict) -> None:
    name = PurePath(path_of(image))
    roots = (Path(root).absolute(), Path(root).resolve())
    leads_out = name.is_absolute() and not any(map(name.is_relative_to, roots))
    if leads_out or ".." in name.parts or "\0" in str(name):
        raise DatasetError(
            f"{path}: image {image['id']} leads out of ROOT: {shown(str(name))}; expected a path relative to {root}"
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
