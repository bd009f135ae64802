"""JSON of COCO's structure: the tables, keys and ids that it must have before anything else is asked of it."""

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from igdet.utils.errors import UserError, no_such_file
from igdet.utils.messages import shown

Keys = Mapping[str, tuple[str, ...]]  # by table, those that each of its rows must have
IDS = ("id", "image_id", "category_id")
LARGEST_ID = 2**63 - 1
SIDES = ("width", "height")
MAX_PIXELS = 2**32 - 1  # of an image: COCO's masks count them in 32 bits
ROOTS = (None, "", "none")  # supercategories of a root: Roboflow writes "none"
MIN_POLYGON = 6  # numbers: three points
KEYPOINTS = 17  # of COCO's persons
FEDERATED = ("neg_category_ids", "not_exhaustive_category_ids")  # LVIS: known to be absent; not all marked


class CocoJsonError(UserError):
    """A file that is not of COCO's structure, or contradicts itself."""


def read_json(path: str | Path, expected: str, error: type[UserError] = CocoJsonError) -> object:
    """Return what a JSON file holds, in UTF-8 with or without a byte order mark, or in UTF-16 or UTF-32.

    Args:
        path: the file.
        expected: what it should hold, for errors.
        error: what to raise.

    Raises:
        UserError: of the type `error`: there is no such file, or it is no JSON.
    """
    try:
        return json.loads(Path(path).read_bytes())
    except FileNotFoundError as cause:
        raise error(no_such_file(path, expected)) from cause
    except OSError as cause:
        raise error(f"{path} cannot be read: {cause}; expected {expected}") from cause
    except RecursionError as cause:
        raise error(f"{path} is no JSON of use: its lists are nested too deep; expected {expected}") from cause
    except ValueError as cause:
        raise error(f"{path} is no JSON: {cause}; expected {expected}") from cause


def is_plain_json(path: str | Path) -> bool:
    """Whether a JSON file is UTF-8 without a byte order mark, the only form that pycocotools reads."""
    with Path(path).open("rb") as file:
        return json.detect_encoding(file.read(4)) == "utf-8"


def read_coco_json(path: str | Path, required: Keys) -> dict:
    """Read a json of COCO's structure.

    Args:
        path: the file.
        required: the keys of each table that is needed.

    Returns:
        Its content.

    Raises:
        CocoJsonError: a table, key or row is missing, an id is no whole number or repeated, an image has no size,
            a class has no name or that of another one; single annotations may still be of no use.
    """
    content: Any = read_json(path, "annotations as COCO's json")
    for table, keys in required.items():
        rows = content.get(table) if isinstance(content, dict) else None
        if not isinstance(rows, list):
            raise CocoJsonError(f"{path} is no COCO json: expected a list under the key {table!r}")
        _require_rows(path, table, rows, keys)
    for image in content["images"] if "width" in required["images"] else ():
        _require_size(path, image)
    for image in content["images"] if "file_name" in required["images"] else ():
        _require_text(path, f"image {image['id']} has the file name", image["file_name"])
    if "categories" in required:
        _require_names(path, content)
    return content


def named_categories(content: Mapping) -> list[dict]:
    """Return the categories that are classes, their names as text.

    Left out is a root of other categories that has the name of one of them and no annotation, as Roboflow writes it.
    """
    counts = Counter(str(category["name"]) for category in content["categories"])
    used = {annotation["category_id"] for annotation in content.get("annotations", ())}
    return [
        category if isinstance(category["name"], str) else {**category, "name": str(category["name"])}
        for category in content["categories"]
        if counts[str(category["name"])] == 1 or category["id"] in used or not _is_root(category)
    ]


def _is_root(category: Mapping) -> bool:
    return "supercategory" in category and category["supercategory"] in ROOTS


def path_of(image: Mapping) -> str:
    """An image's path in the folder of images.

    Args:
        image: a row of "images": COCO's with "file_name", or LVIS' with "coco_url", such as
            http://images.cocodataset.org/train2017/1.jpg, which is train2017/1.jpg.

    Raises:
        CocoJsonError: it has neither.
    """
    if "file_name" not in image and "coco_url" not in image:
        raise CocoJsonError(f"image {image['id']} has neither a file_name nor a coco_url")
    return str(image["file_name"]) if "file_name" in image else "/".join(str(image["coco_url"]).split("/")[-2:])


def is_finite(value: object) -> bool:
    """Whether a value is a number that a float holds: neither infinite nor NaN, nor JSON's true."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def is_polygon(points: object) -> bool:
    """Whether points x, y, x, y, ... are enough to bound an area; looks at their number alone."""
    return isinstance(points, list) and len(points) % 2 == 0 and len(points) >= MIN_POLYGON


def are_finite(numbers: list) -> bool:
    """Whether a list holds finite numbers alone: their sum and types tell, in half the time of asking each."""
    try:
        return math.isfinite(sum(numbers)) and bool not in set(map(type, numbers))
    except (TypeError, OverflowError):
        return False


def _require_rows(path: str | Path, table: str, rows: list, keys: Iterable[str]) -> None:
    for position, row in enumerate(rows):
        missing = [key for key in keys if not isinstance(row, dict) or key not in row]
        if missing:
            raise CocoJsonError(f"{path}: entry {position} of {table!r} lacks {', '.join(missing)}")
        wrong = [f"{key} {shown(row[key])}" for key in IDS if key in keys and type(row[key]) is not int]
        if wrong or not 0 <= row["id"] <= LARGEST_ID:
            found = wrong[0] if wrong else f"id {shown(row['id'])}"
            raise CocoJsonError(
                f"{path}: entry {position} of {table!r} has the {found}; expected a whole number, ids from 0 on"
            )
    if repeated := _repeated(row["id"] for row in rows):
        raise CocoJsonError(
            f"{path}: {len(repeated)} ids in {table!r} are listed more than once, among them {repeated[:5]}"
        )


def _require_size(path: str | Path, image: Mapping) -> None:
    width, height = (image[side] for side in SIDES)
    if not all(is_finite(side) and side > 0 for side in (width, height)):
        raise CocoJsonError(f"{path}: image {image['id']} must have a width and height above 0, in pixels")
    if width % 1 or height % 1 or width * height > MAX_PIXELS:
        raise CocoJsonError(
            f"{path}: image {image['id']} has {shown(width)} x {shown(height)} pixels; expected whole numbers of which "
            f"the product is at most {MAX_PIXELS:,}"
        )


def _require_names(path: str | Path, content: Mapping) -> None:
    for category in content["categories"]:
        name = category["name"]
        _require_text(path, f"category {category['id']} has the name", str(name) if is_finite(name) else name)
    if repeated := _repeated(category["name"] for category in named_categories(content)):
        raise CocoJsonError(f"{path}: the name {shown(repeated[0])} is in more than one of 'categories'")


def _require_text(path: str | Path, what: str, text: object) -> None:
    """Refuse what is no text, and text that no file and no screen can hold: half a character, or a NUL."""
    if not isinstance(text, str) or not text.strip() or "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise CocoJsonError(f"{path}: {what} {shown(text)}; expected text")


def _repeated(values: Iterable) -> list:
    return [value for value, count in Counter(values).items() if count > 1]
