"""Errors by kind, what mending each kind alone would gain, and which class is taken for which.

Source: Bolya et al. 2020, "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV, arXiv 2008.08115.
docs/LOCALISATION.md has the definitions.
"""

import numpy as np
from hotcoco import COCOeval

# Ours -> hotcoco's.
KINDS = {
    "classification": "Cls",
    "localisation": "Loc",
    "both": "Both",
    "duplicate": "Dupe",
    "background": "Bkg",
    "missed": "Miss",
}
FOREGROUND, BACKGROUND = 0.5, 0.1  # IoU


def error_metrics(evaluation: COCOeval) -> dict[str, float]:
    """Give the decomposition as metrics.

    Args:
        evaluation: of boxes or masks, from `score_detections`.

    Returns:
        "errors-missed", ...: counts; "dAP-missed", ...: points of AP50 that mending them would gain, 0..100.
    """
    found = evaluation.tide_errors(pos_thr=FOREGROUND, bg_thr=BACKGROUND)
    counts = {f"errors-{kind}": float(found["counts"][name]) for kind, name in KINDS.items()}
    return counts | {f"dAP-{kind}": 100 * found["delta_ap"][name] for kind, name in KINDS.items()}


def confusions(evaluation: COCOeval, most: int = 50) -> list[tuple[str, str, int]]:
    """Which classes are taken for which others, at IoU 0.5, the most frequent first.

    Args:
        evaluation: of boxes or masks, from `score_detections`.
        most: how many pairs to give.

    Returns:
        (class of the object, class of the detection, how often).
    """
    found = evaluation.confusion_matrix(iou_thr=FOREGROUND)
    names = found["cat_names"]
    counts = np.array(found["matrix"], np.int64)[:-1, :-1]  # without the background
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:most]
    pairs = zip(*(axis.tolist() for axis in np.unravel_index(order, counts.shape)), strict=True)
    return [(names[truth], names[found], int(counts[truth, found])) for truth, found in pairs if counts[truth, found]]


def picture_scores(evaluation: COCOeval) -> dict[int, float]:
    """Each picture's own AP at IoU (or OKS) 0.5, 0..100, by image id; none of pictures without anything to find.

    Detections find objects of their class, and those of all classes stand in one ranking: one of a class that is not in
    the picture costs precision too.
    """
    pictures = evaluation.image_diagnostics(iou_thr=FOREGROUND)["img_summary"]
    return {image: 100 * found["ap"] for image, found in pictures.items() if found["tp"] + found["fn"]}
