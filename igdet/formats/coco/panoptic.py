"""COCO's panoptic json: read and checked before anything is made of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from igdet.formats.coco.reading import CocoJsonError, read_json
from igdet.utils.messages import shown

EXPECTED = "COCO's panoptic json"
_WHOLE = (int,)
_KEYS: dict[str, dict[str, tuple[type, ...]]] = {
    "images": {"id": _WHOLE, "file_name": (str,)},
    "categories": {"id": _WHOLE, "name": (str,), "isthing": (int, bool)},
    "annotations": {"image_id": _WHOLE, "file_name": (str,), "segments_info": (list,)},
}
_SEGMENT_KEYS: dict[str, tuple[type, ...]] = {"id": _WHOLE, "category_id": _WHOLE}


def read_panoptic_json(path: str | Path) -> dict:
    """Read a panoptic json.

    Args:
        path: the file.

    Returns:
        Its content: of every image one annotation, of whose segments each has an id of its own and a known category.

    Raises:
        CocoJsonError: a table or key is missing or of another type, an id or name is repeated, a segment's category is
            unknown, or an image has no annotation.
    """
    content: Any = read_json(path, EXPECTED)
    for table, keys in _KEYS.items():
        rows = content.get(table) if isinstance(content, dict) else None
        if not isinstance(rows, list) or not rows:
            raise CocoJsonError(f"{path} is no panoptic json: expected entries under the key {table!r}")
        for position, row in enumerate(rows):
            _require(f"{path}: entry {position} of {table!r}", row, keys)
    for table, key in (("images", "id"), ("categories", "id"), ("categories", "name"), ("annotations", "image_id")):
        _require_once(f"{path}: the {key} of {table!r}", (row[key] for row in content[table]))
    known = {row["id"] for row in content["categories"]}
    for row in content["annotations"]:
        _check_segments(f"{path}: image {row['image_id']}", row["segments_info"], known)
    differing = {row["id"] for row in content["images"]} ^ {row["image_id"] for row in content["annotations"]}
    if differing:
        raise CocoJsonError(
            f"{path}: {len(differing)} images, {min(differing)} among them, have no annotation or no entry"
        )
    return content


def _require(where: str, row: Any, keys: Mapping[str, tuple[type, ...]]) -> None:
    wrong = [key for key, types in keys.items() if not isinstance(row, dict) or type(row.get(key)) not in types]
    if wrong:
        raise CocoJsonError(f"{where} is {shown(row)}: expected {' and '.join(wrong)}, as COCO has them")


def _require_once(what: str, values: Iterable) -> None:
    repeated = [value for value, count in Counter(values).items() if count > 1]
    if repeated:
        raise CocoJsonError(f"{what} {shown(repeated[0])} is there more than once")


def _check_segments(where: str, segments: list, known: set[int]) -> None:
    for segment in segments:
        _require(f"{where}: a segment", segment, _SEGMENT_KEYS)
        if segment["category_id"] not in known or segment["id"] <= 0:
            raise CocoJsonError(f"{where}: the segment {shown(segment)} has an unknown category, or an id below 1")
    _require_once(f"{where}: the segment", (segment["id"] for segment in segments))
