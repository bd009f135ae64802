"""What is looked at in files of COCO annotations and detections before anything is scored."""

import logging
import math
import sys
from argparse import ArgumentParser
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, repeat
from numbers import Real
from operator import itemgetter
from pathlib import Path

import numpy as np

from igdet.formats.coco.faults import MARGIN, is_run_length
from igdet.formats.coco.keypoint_names import COCO_NAMES, canonical
from igdet.formats.coco.reading import (
    FEDERATED,
    KEYPOINTS,
    CocoJsonError,
    are_finite,
    is_polygon,
    read_coco_json,
    read_json,
)
from igdet.formats.coco.verdicts import Verdicts, judge, keypoint_counts
from igdet.utils.errors import UserError
from igdet.utils.messages import printable, shown

logger = logging.getLogger(__name__)
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
    of_image, of_class = _places(ids, images), _places(class_ids, categories)
    refuse_unless(
        of_image >= 0, "its image_id is not in the annotations; were the detections made on another data set or split?"
    )
    refuse_unless(
        of_class >= 0,
        "its category_id is not in the annotations; expected the data set's own ids, not 0..C-1",
    )
    confidences = _numbers(scores)
    refuse_unless(np.isfinite(confidences), "its score is not a finite number")
    corners = _SHAPES[task](shapes, sizes[of_image], keypoints, refuse_unless)
    if corners is None or max(images, default=0) > EXACT:
        return detections
    return np.column_stack([np.array(images)[of_image], corners, confidences, np.array(categories)[of_class]])


def _refuse(detections: Sequence[dict], bad: np.ndarray, why: str, source: str | Path) -> None:
    if len(bad):
        first = {key: value for key, value in detections[bad[0]].items() if key not in LONG}
        raise DetectionsError(
            f"{source}: {len(bad):,} of {len(detections):,} detections cannot be scored; the first is number "
            f"{bad[0]} (from 0), {shown(first)}: {why}"
        )


def _places(ids: list, known: Sequence[int]) -> np.ndarray:
    """Where each id is among the known ones, int (N,); -1 where it is none of them."""
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
        f"its bbox lies more than {MARGIN:g} pixel outside its image; expected pixels, [x, y, width, height]",
    )
    return corners


def _check_masks(masks: list, sizes: np.ndarray, _: int, refuse_unless: Refusal) -> None:
    def fits(mask: object, width: int, height: int) -> bool:
        if not isinstance(mask, list):
            return is_run_length(mask, width, height)
        return bool(mask) and all(is_polygon(points) and are_finite(points) for points in mask)

    refuse_unless(
        map(fits, masks, sizes[:, 0].tolist(), sizes[:, 1].tolist()),
        "its segmentation is neither a run-length mask of its image's [height, width] nor polygons",
    )


def _check_keypoints(found: list, _: np.ndarray, keypoints: int, refuse_unless: Refusal) -> None:
    refuse_unless(
        np.isfinite(_rows(found, 3 * keypoints)).all(axis=1),
        f"its keypoints are not {keypoints} times x, y, v, all finite numbers",
    )


_SHAPES = {"bbox": _check_boxes, "segm": _check_masks, "keypoints": _check_keypoints}


def read_annotations(path: Path, task: str, lvis: bool = False, sigmas: Sequence[float] = ()) -> dict:
    """Read a file of annotations, and say what had to be computed.

    Args:
        path: the file.
        task: a key of `FIELD`.
        lvis: whether they must say what LVIS' do: where a class was looked for, and how frequent it is.
        sigmas: of the object keypoint similarity, one a keypoint; empty for COCO's 17.

    Returns:
        Its content: "images", "categories", "annotations".

    Raises:
        CocoJsonError: naming the first fault.
    """
    required = {
        "images": ("id", "width", "height", *(FEDERATED if lvis else ())),
        "categories": ("id", "name", *(("frequency",) if lvis else ())),
        "annotations": ("id", "image_id", "category_id", FIELD[task], *(("bbox",) if task == "keypoints" else ())),
    }
    content = read_coco_json(path, required)
    verdicts = checked_annotations(path, content, (task,), sigmas)
    if verdicts.refused:
        (name, why), bad, total = verdicts.refused[0], len(verdicts.refused), len(content["annotations"])
        raise CocoJsonError(
            f"{path}: {name}: {why}; {bad:,} of {total:,} annotations cannot be used. Correct them or take them out; a "
            "run with this data set scores by its copy without them, OUTPUT_DIR/checked_annotations/NAME.json"
        )
    return verdicts.content


def add_sigmas(parser: ArgumentParser) -> None:
    """Add the option --sigmas, a list that is empty for COCO's 17 keypoints."""
    parser.add_argument(
        "--sigmas", type=_sigma, nargs="+", default=[], help="of the keypoints, one each; COCO's 17 by default"
    )


def _sigma(text: str) -> float:
    if not 0 < float(text) < math.inf:
        raise ValueError(text)
    return float(text)


def checked_annotations(
    path: str | Path, content: dict, tasks: Sequence[str], sigmas: Sequence[float] = ()
) -> Verdicts:
    """Judge annotations for an evaluation, and log what the judge says of the whole file.

    Args:
        path: their file, for messages.
        content: "images", "categories" and "annotations".
        tasks: keys of `FIELD`.
        sigmas: as for `read_annotations`.

    Raises:
        CocoJsonError: there is not one sigma a keypoint, or the boxes are likely something else than x, y, w, h.
    """
    wanted = len(sigmas) or KEYPOINTS
    has_names = "keypoints" in tasks and keypoint_counts(path, content["categories"])
    names = keypoint_names(content) if has_names else ()
    if names and len(names) != wanted:
        raise CocoJsonError(
            f"{path}: its categories have {len(names)} keypoints, and there are {wanted} sigmas: give one a keypoint, "
            "with --sigmas or TEST.KEYPOINT_OKS_SIGMAS"
        )
    verdicts = judge(path, content, tasks, wanted)
    for note in (*verdicts.notes, *_sigma_notes(names, sigmas)):
        logger.warning(f"{path}: {printable(note)}")
    return verdicts


def keypoint_names(content: Mapping) -> Sequence[str]:
    """Return the names of the keypoints, those of any category that has some; none where none has."""
    return next((category["keypoints"] for category in content["categories"] if category.get("keypoints")), ())


def _sigma_notes(names: Sequence[str], sigmas: Sequence[float]) -> list[str]:
    if sigmas or not names or [canonical(name) for name in names] == [canonical(name) for name in COCO_NAMES]:
        return []
    return [
        f"the keypoints {', '.join(names)} are not COCO's, but are compared by the sigmas of "
        f"{', '.join(COCO_NAMES)}; set your own with --sigmas or TEST.KEYPOINT_OKS_SIGMAS"
    ]
