"""Errors of keypoints by kind, for a detection matched to an object.

Source: Ronchi and Perona 2017, "Benchmarking and Error Diagnosis in Multi-Instance Pose Estimation", ICCV.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from hotcoco import COCOeval

from igdet.formats.localization import KEYPOINT_KINDS

GOOD, NEAR = 0.85, 0.5  # similarities
MATCHED = 0.1  # OKS; at COCO's 0.5 the poses with most inversions and swaps would not be looked at


def similarity(points: np.ndarray, truth: np.ndarray, area: float, sigmas: np.ndarray) -> np.ndarray:
    """ks = exp(-d^2 / (2 area (2 sigma)^2)), one keypoint's term of the object keypoint similarity; 0 without a label.

    Args:
        points: (K, 2), pixels.
        truth: (K, 3), x, y and v (0: not labelled).
        area: of the object, pixels.
        sigmas: (K,).
    """
    squared = ((points - truth[:, :2]) ** 2).sum(-1)
    return np.exp(-squared / (2 * max(area, np.spacing(1)) * (2 * sigmas) ** 2)) * (truth[:, 2] > 0)


def keypoint_kinds(
    points: np.ndarray,
    truth: np.ndarray,
    area: float,
    sigmas: np.ndarray,
    mirrored: Sequence[int] | np.ndarray,
    others: Sequence[tuple[np.ndarray, float]] = (),
) -> list[str | None]:
    """Say what each predicted keypoint of a matched detection is, by the labelled keypoint that it is most similar to.

    Args:
        points: (K, 2) prediction, pixels.
        truth: (K, 3) the matched object's keypoints, x, y and v (0: not labelled).
        area: of that object, pixels.
        sigmas: (K,).
        mirrored: for each keypoint that of the other side, itself where there is none.
        others: keypoints (K, 3) and area of each other object in the image.

    Returns:
        A kind a keypoint; None where it is not labelled.
    """
    mirrored = np.asarray(mirrored)
    # One prediction against three: its own keypoint, the same object's on the other side (inversion), and those of
    # other objects, on either side (swap). An unpaired keypoint, such as the nose, is no inversion of itself.
    own = similarity(points, truth, area, sigmas)
    inverted = similarity(points, truth[mirrored], area, sigmas) * (mirrored != np.arange(len(truth)))
    elsewhere = [
        similarity(points, other[order], of_other, sigmas) for other, of_other in others for order in (..., mirrored)
    ]
    swapped = np.max(elsewhere, axis=0, initial=0) if elsewhere else np.zeros(len(own))
    return [
        _kind(*values) if labelled else None
        for *values, labelled in zip(own, inverted, swapped, truth[:, 2] > 0, strict=True)
    ]


def _kind(own: float, inverted: float, swapped: float) -> str:
    largest = max(own, inverted, swapped)
    if largest < NEAR:
        return "miss"
    if own == largest:
        return "good" if own >= GOOD else "jitter"
    return "inversion" if inverted == largest else "swap"


def matches(evaluation: COCOeval, truth: Mapping, detections: Sequence[dict]) -> Iterator[tuple[dict, dict]]:
    """Return the pairs of (detection, object with keypoints) that belong together at an OKS of `MATCHED`.

    Args:
        evaluation: of keypoints, from `score_detections`.
        truth: content of the annotation file.
        detections: those that were evaluated, in their order.
    """
    objects = {annotation["id"]: annotation for annotation in truth["annotations"] if annotation.get("keypoints")}
    matching = COCOeval(evaluation.coco_gt, evaluation.coco_dt, "keypoints")
    matching.params = evaluation.params
    matching.params.iou_thrs = [MATCHED]
    matching.evaluate()
    pairs = matching.image_diagnostics(iou_thr=MATCHED)["dt_match"]
    return ((detections[number - 1], objects[found]) for number, found in pairs.items() if found in objects)  # from 1


def part_metrics(
    pairs: Iterable[tuple[dict, dict]],
    truth: Mapping,
    sigmas: Sequence[float],
    names: Sequence[str],
    mirror: Sequence[int],
) -> dict[str, float]:
    """Shares of the kinds among the labelled keypoints of matched objects.

    Args:
        pairs: from `matches`.
        truth: content of the annotation file.
        sigmas: (K,).
        names: (K,) of the keypoints.
        mirror: (K,) the place of each one's other side, from `igdet.formats.coco.keypoint_names.mirrored`.

    Returns:
        "keypoints-jitter", ... of all keypoints and "jitter-left_knee", ... of one, percent; none without matches.
    """
    beside = defaultdict(list)
    for annotation in truth["annotations"]:
        if annotation.get("keypoints"):
            beside[annotation["image_id"]].append(annotation)
    counts: dict[str, Counter] = defaultdict(Counter)
    for detection, matched in pairs:
        others = [(_points(other), other["area"]) for other in beside[matched["image_id"]] if other is not matched]
        found = _points(detection)[:, :2]
        kinds = keypoint_kinds(found, _points(matched), matched["area"], np.array(sigmas), mirror, others)
        for name, kind in zip(names, kinds, strict=True):
            if kind:
                counts[name][kind] += 1
                counts[""][kind] += 1
    return {
        f"{kind}-{name}" if name else f"keypoints-{kind}": 100 * of_part[kind] / of_part.total()
        for name, of_part in counts.items()
        for kind in KEYPOINT_KINDS
    }


def _points(record: dict) -> np.ndarray:
    return np.reshape(np.array(record["keypoints"], float), (-1, 3))
