"""What is looked at in a file of COCO detections before it is scored."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path

import numpy as np

from igdet.utils.errors import UserError

MARGIN = 1.0  # pixels that a box may reach beyond its picture, for tools that count pixel edges otherwise
FIELD = {"bbox": "bbox", "segm": "segmentation", "keypoints": "keypoints"}  # by task


class DetectionsError(UserError):
    """Detections that cannot be scored against these annotations."""


def read_detections(path: Path) -> list[dict]:
    """Read a file in COCO's result format: a JSON list of objects.

    Raises:
        DetectionsError: it is missing or something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DetectionsError(f"{path}: cannot be read as JSON ({error}); expected COCO's list of results") from error
    if not isinstance(content, list) or not all(isinstance(record, dict) for record in content):
        kind = "an object" if isinstance(content, dict) else "something else"
        raise DetectionsError(f'{path}: expected a list of {{"image_id", "category_id", "score", ...}}, found {kind}')
    return content


def check_detections(
    detections: Sequence[dict], truth: Mapping, task: str, source: str | Path, keypoints: int = 17
) -> None:
    """Refuse detections that do not belong to the annotations or that hold no sound numbers.

    Args:
        detections: in COCO's result format, in the data set's category ids.
        truth: the annotations' content: "images" with "id", "width" and "height", "categories" with "id".
        task: a key of `FIELD`.
        source: where the detections come from, for the message.
        keypoints: how many each detection has.

    Raises:
        DetectionsError: naming the first bad detection, and how many are bad in that way.
    """
    pictures = {image["id"]: row for row, image in enumerate(truth["images"])}
    sizes = np.array([(image["width"], image["height"]) for image in truth["images"]]).reshape(-1, 2)
    categories = {category["id"] for category in truth["categories"]}
    wanted = ("image_id", "category_id", "score", FIELD[task])

    def refuse_unless(fit: Iterable[bool], why: str) -> None:
        _refuse(detections, np.flatnonzero(~np.fromiter(fit, bool, len(detections))), why, source)

    # Half a million detections are usual, so columns are looked at by built-in functions.
    refuse_unless(map(set(wanted).issubset, detections), f"it lacks one of {', '.join(sorted(wanted))}")
    ids, class_ids, scores, shapes = (list(map(itemgetter(key), detections)) for key in wanted)
    refuse_unless(
        map(pictures.__contains__, ids),
        "its image_id is not in the annotations; were the detections made on another data set or split?",
    )
    refuse_unless(
        map(categories.__contains__, class_ids),
        "its category_id is not in the annotations; expected the data set's own ids, not 0..C-1",
    )
    refuse_unless(np.isfinite(_numbers(scores, 1)[:, 0]), "its score is not a finite number")
    of_pictures = sizes[np.fromiter(map(pictures.__getitem__, ids), np.intp, len(ids))]
    for fit, why in _SHAPES[task](shapes, of_pictures, keypoints):
        refuse_unless(fit, why)


def _refuse(detections: Sequence[dict], bad: np.ndarray, why: str, source: str | Path) -> None:
    if len(bad):
        shown = {key: value for key, value in detections[bad[0]].items() if key != "segmentation"}
        raise DetectionsError(
            f"{source}: {len(bad):,} of {len(detections):,} detections cannot be scored; the first is number "
            f"{bad[0]} (from 0), {json.dumps(shown)[:300]}: {why}"
        )


def _numbers(rows: list, width: int) -> np.ndarray:
    """Rows of numbers as float64 (N, width); a row that is something else becomes NaN."""
    try:
        return np.array(rows, np.float64).reshape(len(rows), width)
    except (TypeError, ValueError):
        return np.concatenate([_row(row, width) for row in rows])


def _row(row: object, width: int) -> np.ndarray:
    try:
        return np.array(row, np.float64).reshape(1, width)
    except (TypeError, ValueError):
        return np.full((1, width), np.nan)


def _check_boxes(boxes: list, sizes: np.ndarray, _: int) -> Iterator[tuple[Iterable[bool], str]]:
    corners = _numbers(boxes, 4)
    sound = np.isfinite(corners).all(axis=1) & (corners[:, 2:] >= 0).all(axis=1)
    yield sound, "its bbox is not [x, y, width, height] of finite numbers, width and height >= 0"
    inside = (corners[:, :2] >= -MARGIN).all(axis=1) & (corners[:, :2] + corners[:, 2:] <= sizes + MARGIN).all(axis=1)
    yield (
        inside,
        f"its bbox lies more than {MARGIN:g} pixel outside its picture; expected pixels, [x, y, width, height]",
    )


def _check_masks(masks: list, sizes: np.ndarray, _: int) -> Iterator[tuple[Iterable[bool], str]]:
    def fits(mask: object, width: int, height: int) -> bool:
        if isinstance(mask, Mapping):
            return mask.get("size") == [height, width] and bool(mask.get("counts"))
        return isinstance(mask, list) and bool(mask)

    fit = (fits(mask, *size) for mask, size in zip(masks, sizes.tolist(), strict=True))
    yield fit, "its segmentation is neither a run-length mask of its picture's [height, width] nor polygons"


def _check_keypoints(found: list, _: np.ndarray, keypoints: int) -> Iterator[tuple[Iterable[bool], str]]:
    yield (
        np.isfinite(_numbers(found, 3 * keypoints)).all(axis=1),
        f"its keypoints are not {keypoints} times x, y, v, all finite numbers",
    )


_SHAPES = {"bbox": _check_boxes, "segm": _check_masks, "keypoints": _check_keypoints}
