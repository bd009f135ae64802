"""Errors by kind and what mending each kind alone would gain.

Source: Bolya et al. 2020, "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV, arXiv 2008.08115.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from igdet.evaluation.localisation.overlaps import Picture, pictures

KINDS = ("classification", "localisation", "both", "duplicate", "background", "missed")
FOREGROUND, BACKGROUND = 0.5, 0.1  # IoU
RIGHT, UNCOUNTED = "right", "uncounted"


def error_metrics(dataset: dict, detections: Sequence[dict], task: str) -> dict[str, float]:
    """The decomposition as metrics: "dAP-missed", ... in points of AP50 and "errors-missed", ... as counts.

    Args:
        dataset: the content of a COCO annotation file.
        detections: COCO results.
        task: "bbox" or "segm".
    """
    result = decompose(pictures(dataset, detections, task))
    gains = {f"dAP-{kind}": gain for kind, gain in result["gains"].items()}
    return gains | {f"errors-{kind}": count for kind, count in result["counts"].items()}


def decompose(shown: Iterable[Picture]) -> dict:
    """Count the errors at IoU 0.5 and mend each kind alone.

    Args:
        shown: pictures of one task.

    Returns:
        "AP50" in percent; "counts" and "gains" by kind: errors, and points of AP50 that mending them would gain.
    """
    rows, objects, missed = [], Counter(), Counter()
    for number, picture in enumerate(shown):
        kinds, targets = judge(picture)
        matched = {target for kind, target in zip(kinds, targets, strict=True) if kind == RIGHT}
        near = {t for kind, t in zip(kinds, targets, strict=True) if kind in KINDS[:2]}
        objects.update(picture.truth[~picture.ignored].tolist())
        left = [g for g in np.flatnonzero(~picture.ignored) if g not in matched | near]
        missed.update(picture.truth[left].tolist())
        for score, label, kind, target in zip(picture.scores, picture.classes, kinds, targets, strict=True):
            if kind != UNCOUNTED:
                mended = kind in KINDS[:2] and target not in matched
                rows.append((score, int(label), kind, (number, target) if mended else None, picture.truth, target))
    rows.sort(key=lambda row: -row[0])
    plain = _mean_ap(rows, objects, "")
    fixed = {kind: _mean_ap(rows, objects, kind) for kind in KINDS[:-1]}
    fixed["missed"] = _mean_ap(rows, objects - missed, "", classes=objects)
    counts = Counter(row[2] for row in rows) + Counter(missed=missed.total())
    return {
        "AP50": plain,
        "counts": {kind: counts[kind] for kind in KINDS},
        "gains": {kind: fixed[kind] - plain for kind in KINDS},
    }


def judge(picture: Picture) -> tuple[list[str], list[int]]:
    """Say of each detection what it is, and which object it is about (-1: none).

    Returns:
        For each detection "right", "uncounted" (on a crowd or ignored object) or its kind of error; the object's row.
    """
    kinds, targets, used = [], [], np.zeros(len(picture.truth), bool)
    counted = ~picture.ignored
    waiting = []
    for row, label in enumerate(picture.classes):
        same = picture.truth == label
        ious = picture.ious[row]
        free = np.where(same & counted & ~used, ious, -1)
        target = int(free.argmax()) if len(free) else -1
        if target >= 0 and free[target] >= FOREGROUND:
            used[target] = True
            kinds.append(RIGHT)
        elif (ious[same & picture.ignored] >= FOREGROUND).any():
            kinds.append(UNCOUNTED)
        else:
            kinds.append("")
            waiting.append(row)
        targets.append(target)
    for row in waiting:  # once all matches are known
        same = (picture.truth == picture.classes[row]) & counted
        kinds[row], targets[row] = _error(picture.ious[row], same, counted, used)
    return kinds, targets


def _error(ious: np.ndarray, same: np.ndarray, counted: np.ndarray, used: np.ndarray) -> tuple[str, int]:
    def best(rows: np.ndarray) -> tuple[float, int]:
        known = np.where(rows, ious, -1)
        return (float(known.max()), int(known.argmax())) if len(known) else (-1.0, -1)

    own, other, taken, any_object = (best(rows) for rows in (same, counted & ~same, same & used, counted))
    if BACKGROUND <= own[0] < FOREGROUND:
        return "localisation", own[1]
    if other[0] >= FOREGROUND:
        return "classification", other[1]
    if taken[0] >= FOREGROUND:
        return "duplicate", taken[1]
    return ("background" if any_object[0] <= BACKGROUND else "both"), -1


def _mean_ap(rows: list[tuple], objects: Counter, mend: str, classes: Counter | None = None) -> float:
    """AP50 in percent over the classes with objects, with one kind of error mended."""
    right: dict[int, list[bool]] = defaultdict(list)
    mended = set()
    for _, label, kind, key, truth, target in rows:
        if kind != mend:
            right[label].append(kind == RIGHT)
        elif key is not None and key not in mended:  # the surest detection of a free object becomes right
            mended.add(key)
            right[int(truth[target])].append(True)
    shown = objects if classes is None else classes
    aps = [average_precision(np.array(right[label], bool), objects[label]) for label in shown]
    return 100 * float(np.mean(aps)) if aps else float("nan")


def average_precision(right: np.ndarray, objects: int) -> float:
    """COCO's AP, 0..1: precision at 101 recalls; 1 where nothing is left to find and nothing is wrong.

    Args:
        right: bool (n,), detections of a class, the surest first.
        objects: how many there are to find.
    """
    if objects == 0:
        return float(right.all())
    hits = right.cumsum()
    precision = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
    at = np.searchsorted(hits / objects, np.linspace(0, 1, 101), side="left")
    return float(np.append(precision, 0.0)[np.minimum(at, len(precision))].mean())
