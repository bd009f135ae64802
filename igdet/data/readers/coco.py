"""COCO and LVIS json: checked at start-up, registered for Detectron2's loaders and evaluators."""

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePath

from detectron2.data import MetadataCatalog
from detectron2.structures import BoxMode
from pycocotools import mask as coco_mask

from igdet.data.bad_records import BadRecordLog
from igdet.formats.coco.faults import TASKS, polygons_of
from igdet.formats.coco.keypoint_names import flip_pairs, has_side
from igdet.formats.coco.parsed import content_of, keep
from igdet.formats.coco.reading import (
    FEDERATED,
    CocoJsonError,
    Keys,
    is_plain_json,
    path_of,
    read_coco_json,
)
from igdet.formats.coco.verdicts import judge, keypoint_counts
from igdet.formats.errors import DatasetError
from igdet.utils.files import atomic_write
from igdet.utils.messages import printable, shown

logger = logging.getLogger(__name__)
EDGE_COLOUR = (255, 128, 0)  # of a drawn skeleton's lines, RGB
REQUIRED_KEYS: Keys = {
    "images": ("id", "file_name", "height", "width"),
    "categories": ("id", "name"),
    "annotations": ("id", "image_id", "category_id", "bbox"),
}
_LVIS_KEYS = {
    "images": ("id", "coco_url", "height", "width", *FEDERATED),
    "categories": ("id", "name", "frequency"),
    "annotations": ("id", "image_id", "category_id", "bbox", "segmentation"),
}


def keypoint_metadata(categories: list[dict], path: str, pairs: Sequence[Sequence[str]] = ()) -> dict:
    """Return what Detectron2 wants to know of keypoints: names, left-right pairs, and the skeleton.

    Args:
        categories: of the json; names and skeleton are those of any category that has keypoints.
        path: the json, for errors.
        pairs: the left and the right keypoint of each part; none for those that the names tell.

    Returns:
        "keypoint_names", "keypoint_flip_map" and "keypoint_connection_rules"; empty where nothing has keypoints.

    Raises:
        CocoJsonError: two categories have different keypoints, or names that are none.
        DatasetError: the skeleton or a pair is none of these keypoints.
    """
    with_keypoints = [category for category in categories if category.get("keypoints")]
    if not keypoint_counts(path, categories):
        return {}
    names = with_keypoints[0]["keypoints"]
    edges = with_keypoints[0].get("skeleton") or []
    if not _are_pairs(edges, range(1, len(names) + 1)):
        raise DatasetError(f"{path}: the skeleton {shown(edges)} is no list of pairs of keypoints, counted from 1")
    if not _are_pairs(pairs, names) or len({name for pair in pairs for name in pair}) < 2 * len(pairs):
        raise DatasetError(
            f"KEYPOINT_PAIRS {shown(pairs)} is no list of pairs [left, right] of different keypoints of {path}: "
            f"{', '.join(names)}"
        )
    return {
        "keypoint_names": names,
        "keypoint_flip_map": [tuple(pair) for pair in pairs] or flip_pairs(names),
        "keypoint_connection_rules": [(names[a - 1], names[b - 1], EDGE_COLOUR) for a, b in edges],
    }


def warn_of_sides(data_sets: Sequence[str]) -> None:
    """Warn of keypoints that a horizontal flip leaves where they are, though they may be those of one side.

    Args:
        data_sets: names of registered data sets with keypoints.
    """
    for data_set in data_sets:
        metadata = MetadataCatalog.get(data_set)
        names, pairs = metadata.get("keypoint_names", []), metadata.get("keypoint_flip_map", [])
        alone = [name for name in names if has_side(name) and not any(name in pair for pair in pairs)]
        if not pairs or alone:
            logger.warning(
                "%s: INPUT.RANDOM_FLIP mirrors images, but the keypoints %s have no other side, so that left and right "
                "are not exchanged. If they have sides, set the field KEYPOINT_PAIRS to [[left, right], ...], or "
                "INPUT.RANDOM_FLIP to none",
                data_set,
                ", ".join(map(printable, alone or names)),
            )


def _are_pairs(pairs: object, known: Sequence) -> bool:
    return isinstance(pairs, list | tuple) and all(
        isinstance(pair, list | tuple) and len(pair) == 2 and all(end in known for end in pair) for pair in pairs
    )


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
    return metadata, partial(load_records, metadata["json_file"], fields["ROOT"])


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
    keep(metadata["json_file"], content)
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


def prepare_lvis(
    fields: dict, log: BadRecordLog, tasks: Sequence[str] = ("bbox", "segm")
) -> tuple[dict, Callable[[], list[dict]]]:
    """Check an LVIS json and say how to load it, as `prepare_coco` does.

    Args:
        fields: ROOT, the folder that holds train2017 and val2017, and ANNOTATIONS, the json file.
        log: counts and names the annotations that are left out.
        tasks: as `prepare_coco` takes them; LVIS has no keypoints.

    Returns:
        The data set's metadata, and the function that loads it in Detectron2's form.

    Raises:
        DatasetError: the file is no LVIS json, or nothing is left.
        BadRecordsError: too many annotations cannot be used.
    """
    content, metadata = read_usable(fields, log, _LVIS_KEYS, [task for task in tasks if task != "keypoints"])
    # what Detectron2's federated loss weighs classes by
    metadata["class_image_count"] = [
        {"id": category["id"], "image_count": category.get("image_count", 0)} for category in content["categories"]
    ]
    return metadata, partial(load_records, metadata["json_file"], fields["ROOT"], lvis=True)


def load_records(json_file: str, root: str, lvis: bool = False) -> list[dict]:
    """Load a COCO or LVIS file as Detectron2's `load_coco_json` does, parsing it only where nobody has before.

    Args:
        json_file: of annotations that a judge let pass, or a builtin data set's.
        root: the folder of the images.
        lvis: whether it is LVIS'; its images say where classes were looked for, its objects all have masks.

    Returns:
        Detectron2's form: an image each, by id, with its objects in the file's order.
    """
    content = content_of(json_file)
    class_ids = {category: i for i, category in enumerate(sorted(row["id"] for row in content["categories"]))}
    objects = defaultdict(list)
    for annotation in content["annotations"]:
        if not annotation.get("segmentation") or _mask(annotation["segmentation"]):
            objects[annotation["image_id"]].append(_object(annotation, class_ids, lvis))
    return [
        {
            "file_name": str(Path(root, path_of(image))),
            "image_id": image["id"],
            **{key: image[key] for key in ("height", "width", *(FEDERATED if lvis else ()))},
            "annotations": objects[image["id"]],
        }
        for image in sorted(content["images"], key=lambda image: image["id"])
    ]


def _object(annotation: dict, class_ids: dict[int, int], has_mask: bool) -> dict:
    found = {key: annotation[key] for key in ("iscrowd", "bbox", "keypoints") if key in annotation}
    mask = _mask(annotation.get("segmentation"))
    if mask or has_mask:
        found["segmentation"] = mask
    if keypoints := annotation.get("keypoints"):  # pixel numbers -> coordinates of the pixels' centers; v as it is
        found["keypoints"] = [value if i % 3 == 2 else value + 0.5 for i, value in enumerate(keypoints)]
    return {**found, "category_id": class_ids[annotation["category_id"]], "bbox_mode": BoxMode.XYWH_ABS}


def _mask(segmentation: list | dict | None) -> list | dict:
    """Return the polygons of three points or more, or run lengths as text; empty where there is no mask."""
    if isinstance(segmentation, dict):
        is_list = isinstance(segmentation["counts"], list)
        return coco_mask.frPyObjects(segmentation, *segmentation["size"]) if is_list else segmentation
    return polygons_of(segmentation)
