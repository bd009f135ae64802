"""What is looked at in a file of COCO detections before it is scored."""

import sys
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, repeat
from numbers import Real
from operator import itemgetter
from pathlib import Path

import numpy as np

from igdet.utils.coco_boxes import MARGIN
from igdet.utils.coco_json import KEYPOINTS, are_finite, is_polygon, read_json
from igdet.utils.errors import UserError
from igdet.utils.run_lengths import is_run_length
from igdet.utils.shown import shown

FIELD = {"bbox": "bbox", "segm": "segmentation", "keypoints": "keypoints"}  # by task
LONG = ("segmentation", "keypoints")  # fields that no message shows
EXACT = 2**53  # up to here float64 holds every whole number

# Takes whether each detection is sound, and what is wrong with one that is not.
Refusal = Callable[[Iterable[bool], str], None]


class DetectionsError(UserError):
    """Detections that cannot be scored against these annotations."""


def read_detections(path: Path) -> list[dict]:
    """Read a file in COCO's result format: a JSON list of objects.

    Raises:
        DetectionsError: it is missing or something else.
    """
    content = read_json(path, "COCO's list of results", DetectionsError)
    if not isinstance(content, list) or not all(isinstance(record, dict) for record in content):
        kind = "an object" if isinstance(content, dict) else "something else"
        raise DetectionsError(f'{path}: expected a list of {{"image_id", "category_id", "score", ...}}, found {kind}')
    return content


def check_detections(
    detections: Sequence[dict], truth: Mapping, task: str, source: str | Path, keypoints: int = KEYPOINTS
) -> Sequence[dict] | np.ndarray:
    """Refuse detections that do not belong to the annotations or that hold no sound numbers.

    Args:
        detections: in COCO's result format, in the data set's category ids.
        truth: the annotations' content: "images" with "id", "width" and "height", "categories" with "id".
        task: a key of `FIELD`.
        source: where the detections come from, for the message.
        keypoints: how many each detection has.

    Returns:
        The detections in the form that is scored soonest: boxes as float64 (N, 7), in a row image_id, x, y, width,
        height, score, category_id; masks and keypoints as they were given.

    Raises:
        DetectionsError: naming the first bad detection, and how many are bad in that way.
    """
    images, categories = ([row["id"] for row in truth[table]] for table in ("images", "categories"))
    sizes = np.array([(image["width"], image["height"]) for image in truth["images"]]).reshape(-1, 2)
    wanted = ("image_id", "category_id", "score", FIELD[task])

    def refuse_unless(fit: Iterable[bool], why: str) -> None:
        sound = fit if isinstance(fit, np.ndarray) else np.fromiter(fit, bool, len(detections))
        _refuse(detections, np.flatnonzero(~sound), why, source)

    # Half a million detections are usual, so columns are looked at by built-in functions.
    try:
        ids, class_ids, scores, shapes = (list(map(itemgetter(key), detections)) for key in wanted)
    except KeyError:
        refuse_unless(map(set(wanted).issubset, detections), f"it lacks one of {', '.join(sorted(wanted))}")
    pictures, classes = _places(ids, images), _places(class_ids, categories)
    refuse_unless(
        pictures >= 0, "its image_id is not in the annotations; were the detections made on another data set or split?"
    )
    refuse_unless(
        classes >= 0,
        "its category_id is not in the annotations; expected the data set's own ids, not 0..C-1",
    )
    confidences = _numbers(scores)
    refuse_unless(np.isfinite(confidences), "its score is not a finite number")
    corners = _SHAPES[task](shapes, sizes[pictures], keypoints, refuse_unless)
    if corners is None or max(images, default=0) > EXACT:
        return detections
    return np.column_stack([np.array(images)[pictures], corners, confidences, np.array(categories)[classes]])


def _refuse(detections: Sequence[dict], bad: np.ndarray, why: str, source: str | Path) -> None:
    if len(bad):
        first = {key: value for key, value in detections[bad[0]].items() if key not in LONG}
        raise DetectionsError(
            f"{source}: {len(bad):,} of {len(detections):,} detections cannot be scored; the first is number "
            f"{bad[0]} (from 0), {shown(first)}: {why}"
        )


def _places(ids: list, known: Sequence[int]) -> np.ndarray:
    """Where each id stands among the known ones, int (N,); -1 where it does not."""
    places = {known_id: place for place, known_id in enumerate(known)}
    try:
        if bool not in set(map(type, ids)):  # JSON's true would be found as 1
            return np.fromiter(map(places.get, ids, repeat(-1)), np.intp, len(ids))
    except TypeError:  # a list in the place of an id
        pass
    return np.array([places.get(found, -1) if _is_number(found) else -1 for found in ids], np.intp)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _numbers(values: list) -> np.ndarray:
    """Numbers as float64 (N,); what is none becomes NaN. Unlike NumPy, arrays take neither "0.5" nor None for one."""
    try:
        if bool not in set(map(type, values)):
            return np.frombuffer(array("d", values))
    except (TypeError, OverflowError):
        pass
    known = (_is_number(value) and abs(value) <= sys.float_info.max for value in values)
    return np.array([float(value) if is_one else np.nan for value, is_one in zip(values, known, strict=True)])


def _rows(rows: Sequence[Sequence[float]], width: int) -> np.ndarray:
    """Rows of numbers as float64 (N, width); a row of another length, or that is none, becomes NaN."""
    try:
        regular = set(map(len, rows)) <= {width}
    except TypeError:
        regular = False
    if not regular:
        rows = [row if isinstance(row, Sequence) and len(row) == width else (np.nan,) * width for row in rows]
    return _numbers(list(chain.from_iterable(rows))).reshape(-1, width)


def _check_boxes(boxes: list, sizes: np.ndarray, _: int, refuse_unless: Refusal) -> np.ndarray:
    corners = _rows(boxes, 4)
    (x, y, width, height), (right, bottom) = corners.T, sizes.T + MARGIN  # by column: NumPy reduces short rows slowly
    sound = np.isfinite(corners).T.all(axis=0) & (width >= 0) & (height >= 0)
    refuse_unless(sound, "its bbox is not [x, y, width, height] of finite numbers, width and height >= 0")
    inside = (x >= -MARGIN) & (y >= -MARGIN) & (x + width <= right) & (y + height <= bottom)
    refuse_unless(
        inside,
        f"its bbox lies more than {MARGIN:g} pixel outside its picture; expected pixels, [x, y, width, height]",
    )
    return corners


def _check_masks(masks: list, sizes: np.ndarray, _: int, refuse_unless: Refusal) -> None:
    def fits(mask: object, width: int, height: int) -> bool:
        if not isinstance(mask, list):
            return is_run_length(mask, width, height)
        return bool(mask) and all(is_polygon(points) and are_finite(points) for points in mask)

    refuse_unless(
        map(fits, masks, sizes[:, 0].tolist(), sizes[:, 1].tolist()),
        "its segmentation is neither a run-length mask of its picture's [height, width] nor polygons",
    )


def _check_keypoints(found: list, _: np.ndarray, keypoints: int, refuse_unless: Refusal) -> None:
    refuse_unless(
        np.isfinite(_rows(found, 3 * keypoints)).all(axis=1),
        f"its keypoints are not {keypoints} times x, y, v, all finite numbers",
    )


_SHAPES = {"bbox": _check_boxes, "segm": _check_masks, "keypoints": _check_keypoints}
