"""JSON of COCO's structure: the tables, keys and ids that it must have before anything else is asked of it."""

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from igdet.utils.errors import UserError, no_such_file

Keys = Mapping[str, tuple[str, ...]]  # by table, those that each of its rows must have
IDS = ("id", "image_id", "category_id")
LARGEST_ID = 2**63 - 1
SIDES = ("width", "height")
MIN_POLYGON = 6  # numbers: three points
KEYPOINTS = 17  # of COCO's persons
FEDERATED = ("neg_category_ids", "not_exhaustive_category_ids")  # LVIS: known to be absent; not all marked


class CocoJsonError(UserError):
    """A file that is not of COCO's structure, or contradicts itself."""


def read_coco_json(path: str | Path, required: Keys) -> dict:
    """Read a json of COCO's structure.

    Args:
        path: the file.
        required: the keys of each table that is needed.

    Returns:
        its content.

    Raises:
        CocoJsonError: a table, key or row is missing, an id is no whole number or stands twice, a picture has no size,
            two classes have one name; single annotations may still be of no use.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CocoJsonError(no_such_file(path, "annotations as COCO's json")) from error
    except OSError as error:
        raise CocoJsonError(f"{path} cannot be read: {error}") from error
    except ValueError as error:
        raise CocoJsonError(f"{path} is no JSON: {error}") from error
    for table, keys in required.items():
        rows = content.get(table) if isinstance(content, dict) else None
        if not isinstance(rows, list):
            raise CocoJsonError(f"{path} is no COCO json: expected a list under the key {table!r}")
        _require_rows(path, table, rows, keys)
    for image in content["images"]:
        if not all(is_finite(image[side]) and image[side] > 0 for side in SIDES if side in required["images"]):
            raise CocoJsonError(f"{path}: image {image['id']} must have a width and height above 0, in pixels")
    names = [str(category["name"]) for category in content["categories"]] if "categories" in required else []
    if repeated := _repeated(names):
        raise CocoJsonError(f"{path}: the name {repeated[0]!r} stands in more than one of 'categories'")
    return content


def path_of(image: Mapping) -> str:
    """A picture's path in the folder of pictures.

    Args:
        image: a row of "images": COCO's with "file_name", or LVIS' with "coco_url", such as
            http://images.cocodataset.org/train2017/1.jpg, which is train2017/1.jpg.
    """
    return str(image["file_name"]) if "file_name" in image else "/".join(str(image["coco_url"]).split("/")[-2:])


def is_finite(value: object) -> bool:
    """Whether a value is a number that a float holds, neither infinite nor NaN."""
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max


def is_polygon(points: object) -> bool:
    """Whether points x, y, x, y, ... are enough to bound an area; looks at their number alone."""
    return isinstance(points, list) and len(points) % 2 == 0 and len(points) >= MIN_POLYGON


def are_finite(numbers: list) -> bool:
    """Whether a list holds numbers alone, neither infinite nor NaN: the sum tells, in half the time of asking each."""
    try:
        return math.isfinite(sum(numbers))
    except (TypeError, OverflowError):
        return False


def _require_rows(path: str | Path, table: str, rows: list, keys: Iterable[str]) -> None:
    for position, row in enumerate(rows):
        missing = [key for key in keys if not isinstance(row, dict) or key not in row]
        if missing:
            raise CocoJsonError(f"{path}: entry {position} of {table!r} lacks {', '.join(missing)}")
        wrong = [f"{key} {row[key]!r}" for key in IDS if key in keys and not isinstance(row[key], int)]
        if wrong or not 0 <= row["id"] <= LARGEST_ID:
            found = wrong[0] if wrong else f"id {row['id']}"
            raise CocoJsonError(
                f"{path}: entry {position} of {table!r} has the {found}; expected a whole number, ids from 0 on"
            )
    if repeated := _repeated(row["id"] for row in rows):
        raise CocoJsonError(f"{path}: {len(repeated)} ids in {table!r} stand more than once, among them {repeated[:5]}")


def _repeated(values: Iterable) -> list:
    return [value for value, count in Counter(values).items() if count > 1]
