"""COCO's and LVIS' metrics of boxes, masks and keypoints, by hotcoco, bit for bit pycocotools'.

Shapes: `precision` has IoU (or OKS) thresholds, 101 recalls, classes, areas (all first), limits (largest last).
"""

import contextlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
from hotcoco import COCO, COCOeval

from igdet.evaluation.coco_files import DetectionsError
from igdet.formats.coco.faults import mask_area
from igdet.formats.coco.reading import FEDERATED, CocoJsonError
from igdet.utils.messages import printable

# What `COCOeval.stats` holds, in its order. AR is the recall with the most detections an image: 100, for keypoints 20.
_BOXES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR@1", "AR@10", "AR", "ARs", "ARm", "ARl")
SUMMARY = {
    "bbox": _BOXES,
    "segm": _BOXES,
    "keypoints": ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl"),
}
# LVIS (Gupta et al. 2019): APr, APc, APf of classes that are rare, common, frequent in the training set; 300 detections
# an image.
LVIS_SUMMARY = ("AP", "AP50", "AP75", "APs", "APm", "APl", "APr", "APc", "APf", "AR", "ARs", "ARm", "ARl")


# What the engine reads of each table; anything else in a file, of whatever type, is not shown to it.
_READ = {
    "images": ("id", "width", "height", *FEDERATED),
    "categories": ("id", "name", "frequency"),
    "annotations": ("id", "image_id", "category_id", "bbox", "area", "iscrowd"),
}
_OF_TASK = {"bbox": (), "segm": ("segmentation",), "keypoints": ("keypoints", "num_keypoints")}


def engine_of(truth: Mapping, tasks: Sequence[str]) -> COCO:
    """Return annotations in the form that detections are scored by.

    Args:
        truth: from `igdet.evaluation.coco_files`.
        tasks: keys of `SUMMARY`, all that are scored.

    Raises:
        CocoJsonError: a value that is looked at by no one else, such as LVIS' frequency, is of another type.
    """
    read = {**_READ, "annotations": (*_READ["annotations"], *(key for task in tasks for key in _OF_TASK[task]))}
    rows = {
        table: [{key: row[key] for key in keys if key in row} for row in truth[table]] for table, keys in read.items()
    }
    try:
        return COCO(rows)
    except ValueError as error:
        raise CocoJsonError(f"these annotations cannot be used: {printable(str(error))}") from error


def score_detections(
    truth: COCO,
    detections: Sequence[dict] | np.ndarray,
    task: str,
    sigmas: Sequence[float] = (),
    lvis: bool = False,
    image_ids: Sequence[int] | None = None,
) -> COCOeval:
    """Evaluate detections, which have been checked (`igdet.evaluation.coco_files`).

    Args:
        truth: the annotations.
        detections: in COCO's result format, or boxes as `check_detections` returns them; none at all are fine.
        task: a key of `SUMMARY`.
        sigmas: of the object keypoint similarity, one a keypoint; empty for COCO's 17.
        lvis: whether the annotations are federated, as LVIS has them; not for keypoints.
        image_ids: the images that count; None for all.

    Returns:
        The evaluation, summarised. AP is 0 where nothing was found, -1 where there was nothing to find.

    Raises:
        DetectionsError: a field that is not scored is of another type.
    """
    if lvis:
        detections = _seen(detections, task)
    with _boxes_set_aside(detections if task == "segm" else ()):  # an area is then that of the mask, not of the box
        found = _loaded(truth, detections)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its summary
        evaluation = COCOeval(truth, found, task, lvis_style=lvis)
        if sigmas:
            evaluation.params.kpt_oks_sigmas = list(sigmas)
        if image_ids is not None:
            evaluation.params.img_ids = list(image_ids)
        evaluation.run()
    return evaluation


def _loaded(truth: COCO, detections: Any) -> COCO:
    try:
        return truth.load_res(detections)
    except ValueError as error:
        raise DetectionsError(f"these detections cannot be scored: {printable(str(error))}") from error


@contextlib.contextmanager
def _boxes_set_aside(detections: Iterable) -> Iterator[None]:
    """Take the boxes out of detections for a while: copying 100,000 takes half as long as scoring them."""
    boxes = [record.pop("bbox", None) for record in detections]
    try:
        yield
    finally:
        for record, box in zip(detections, boxes, strict=True):
            if box is not None:
                record["bbox"] = box


def _seen(detections: Sequence[dict] | np.ndarray, task: str) -> Sequence[dict] | np.ndarray:
    """Those that cover anything: the official LVIS code passes over the others, COCO's counts them."""
    if isinstance(detections, np.ndarray):
        return detections[detections[:, 3] * detections[:, 4] > 0]
    if task == "segm":
        return [record for record in detections if mask_area(record["segmentation"]) > 0]
    return [record for record in detections if record["bbox"][2] * record["bbox"][3] > 0]


def metrics_of(evaluation: COCOeval, task: str, class_names: Sequence[str], lvis: bool = False) -> dict[str, float]:
    """Return every number of an evaluation, in percent, 0..100; NaN where there was nothing to find.

    Args:
        evaluation: what `score_detections` returned.
        task: its task.
        class_names: in the order of the category ids.
        lvis: whether it was LVIS'.

    Returns:
        The official numbers by the names in `SUMMARY` or `LVIS_SUMMARY`; "AP@0.50" ... "AP@0.95", whose mean is AP; and
        with more than one class each one's AP and AP50, as "AP-cat" and "AP50-cat".
    """
    # COCO's table of precision: 10 IoU thresholds x 101 recalls x classes x areas x limits of detections; of all areas
    # and the largest limit. AP is its mean over the first three, over recalls alone the AP of a threshold and a class.
    precision = np.asarray(cast(dict, evaluation.eval)["precision"])[:, :, :, 0, -1]
    by_class = _mean(precision, (0, 1))
    by_class_50 = _mean(precision[:1], (0, 1))
    official = np.asarray(evaluation.stats, float)
    return {
        **dict(zip(LVIS_SUMMARY if lvis else SUMMARY[task], _percent(official), strict=True)),
        **{
            f"AP@{iou:.2f}": value
            for iou, value in zip(evaluation.params.iou_thrs, _percent(_mean(precision, (1, 2))), strict=True)
        },
        **(_named("AP", class_names, by_class) if len(class_names) > 1 else {}),
        **(_named("AP50", class_names, by_class_50) if len(class_names) > 1 else {}),
    }


def _mean(precision: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """The mean over what has ground truth (-1 has none); -1 where nothing has."""
    known = precision > -1
    count = known.sum(axis=axes)
    return np.where(count > 0, np.where(known, precision, 0).sum(axis=axes) / np.maximum(count, 1), -1)


def _percent(values: np.ndarray) -> list[float]:
    return np.where(values < 0, np.nan, 100 * values).tolist()


def _named(metric: str, class_names: Sequence[str], values: np.ndarray) -> dict[str, float]:
    return {f"{metric}-{name}": value for name, value in zip(class_names, _percent(values), strict=True)}
