"""COCO json of one's own: checked at start-up, registered for Detectron2's loaders and evaluators."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath

from detectron2.data.datasets import load_coco_json

from igdet.data.bad_records import BadRecordLog
from igdet.data.errors import DatasetError
from igdet.utils.files import atomic_write

REQUIRED_KEYS = {
    "images": ("id", "file_name", "height", "width"),
    "categories": ("id", "name"),
    "annotations": ("id", "image_id", "category_id", "bbox"),
}
EDGE_COLOUR = (255, 128, 0)  # of a drawn skeleton's lines, RGB
MIN_POLYGON = 6  # numbers: three points


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
    json_file, root, name = fields["ANNOTATIONS"], fields["ROOT"], log.data_set
    content = _read(json_file)
    kept = _keep_usable(content, log)
    if len(kept) < len(content["annotations"]):
        json_file = str(log.path.parent / "checked_annotations" / f"{name}.json")
        with atomic_write(json_file, "w") as file:
            json.dump({**content, "annotations": kept}, file)
    if not kept:
        raise DatasetError(f"{fields['ANNOTATIONS']} has no usable annotation")
    categories = sorted(content["categories"], key=lambda category: category["id"])
    metadata = {
        "json_file": json_file,
        "image_root": root,
        "thing_classes": [category["name"] for category in categories],
        "thing_dataset_id_to_contiguous_id": {category["id"]: i for i, category in enumerate(categories)},
        **_keypoint_metadata(categories, fields["ANNOTATIONS"]),
    }
    return metadata, lambda: load_coco_json(json_file, root, name)


def _read(path: str) -> dict:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise DatasetError(f"{path} is no JSON: {error}") from error
    for table, keys in REQUIRED_KEYS.items():
        rows = content.get(table) if isinstance(content, dict) else None
        if not isinstance(rows, list):
            raise DatasetError(f"{path} is no COCO json: expected a list under the key {table!r}")
        _require_rows(path, table, rows, keys)
    for image in content["images"]:
        parts = PurePath(image["file_name"])
        if parts.is_absolute() or ".." in parts.parts:
            raise DatasetError(
                f"{path}: image {image['id']} leads out of ROOT: {image['file_name']!r}; expected a path relative to it"
            )
        if not all(_is_finite(image[side]) and image[side] > 0 for side in ("width", "height")):
            raise DatasetError(f"{path}: image {image['id']} must have a width and height above 0, in pixels")
    return content


def _require_rows(path: str, table: str, rows: list, keys: Iterable[str]) -> None:
    for position, row in enumerate(rows):
        missing = [key for key in keys if not isinstance(row, dict) or key not in row]
        if missing:
            raise DatasetError(f"{path}: entry {position} of {table!r} lacks {', '.join(missing)}")
    repeated = [row_id for row_id, count in Counter(row["id"] for row in rows).items() if count > 1]
    if repeated:
        raise DatasetError(f"{path}: {len(repeated)} ids in {table!r} stand more than once, among them {repeated[:5]}")


def _keep_usable(content: dict, log: BadRecordLog) -> list[dict]:
    sizes = {image["id"]: (image["width"], image["height"]) for image in content["images"]}
    keypoints = {category["id"]: len(category.get("keypoints", ())) for category in content["categories"]}
    faults = [_fault(annotation, sizes, keypoints) for annotation in content["annotations"]]
    bad = [
        (f"annotation {annotation['id']} of image {annotation['image_id']}", why)
        for annotation, why in zip(content["annotations"], faults, strict=True)
        if why
    ]
    log.add(len(faults), bad)
    return [annotation for annotation, why in zip(content["annotations"], faults, strict=True) if not why]


def _fault(annotation: dict, sizes: dict[int, tuple[int, int]], keypoints: dict[int, int]) -> str:
    """Say what is wrong with an annotation, or "".

    Args:
        annotation: an entry of "annotations".
        sizes: width and height in pixels, by image id.
        keypoints: number of keypoints, by category id.
    """
    if annotation["image_id"] not in sizes:
        return "its image is not in the file"
    if annotation["category_id"] not in keypoints:
        return f"its category {annotation['category_id']} is not in the file"
    if annotation.get("ignore"):
        return 'is marked "ignore", which Detectron2 does not support'
    return (
        _box_fault(annotation["bbox"], sizes[annotation["image_id"]])
        or _keypoint_fault(annotation, keypoints[annotation["category_id"]])
        or _mask_fault(annotation.get("segmentation"))
    )


def _box_fault(box: list[float], size: tuple[int, int]) -> str:
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_finite, box)):
        return f"its bbox {box} is not four finite numbers"
    left, top, width, height = box
    if width <= 0 or height <= 0:
        return f"its bbox {box} has no area; expected left, top, width, height"
    if left >= size[0] or top >= size[1] or left + width <= 0 or top + height <= 0:
        return f"its bbox {box} lies outside the picture of {size[0]} x {size[1]}"
    return ""


def _is_finite(number: object) -> bool:
    return isinstance(number, int | float) and math.isfinite(number)


def _keypoint_fault(annotation: dict, expected: int) -> str:
    found = len(annotation.get("keypoints") or ())
    if found == 3 * expected or annotation.get("iscrowd"):
        return ""
    return f"has {found} keypoint numbers; its category has {expected} keypoints, so {3 * expected} were expected"


def _mask_fault(segmentation: list | dict | None) -> str:
    if not segmentation or isinstance(segmentation, dict):  # none, or run lengths
        return ""
    polygons = [polygon for polygon in segmentation if isinstance(polygon, list) and len(polygon) % 2 == 0]
    usable = any(len(polygon) >= MIN_POLYGON for polygon in polygons)
    return "" if usable else "has no polygon of at least three points"


def _keypoint_metadata(categories: list[dict], path: str) -> dict:
    """Work out what Detectron2 wants to know of keypoints: names, left-right pairs by name, and the skeleton."""
    with_keypoints = [category for category in categories if category.get("keypoints")]
    if not with_keypoints:
        return {}
    names = with_keypoints[0]["keypoints"]
    if any(category["keypoints"] != names for category in with_keypoints):
        raise DatasetError(f"{path}: its categories have different keypoints; Detectron2 trains one kind at a time")
    pairs = [(left, left.replace("left", "right", 1)) for left in names if left.startswith("left")]
    edges = with_keypoints[0].get("skeleton", ())  # pairs of positions from 1
    return {
        "keypoint_names": names,
        "keypoint_flip_map": [pair for pair in pairs if pair[1] in names],
        "keypoint_connection_rules": [(names[a - 1], names[b - 1], EDGE_COLOUR) for a, b in edges],
    }
