"""What a detector gets wrong: errors by kind, what fixing each kind would gain, and which class is taken for which."""

from collections.abc import Mapping, Sequence

import numpy as np
from hotcoco import COCOeval

from igdet.evaluation.coco_files import keypoint_names
from igdet.evaluation.keypoint_errors import matches, part_metrics
from igdet.formats.coco.keypoint_names import flip_pairs, mirrored
from igdet.formats.localization import ERROR_KINDS, KEYPOINT_KINDS
from igdet.reporting.tables import EMPTY, Entry, Table

_HOTCOCO = dict(zip(ERROR_KINDS, ("Cls", "Loc", "Both", "Dupe", "Bkg", "Miss"), strict=True))  # its names
FOREGROUND, BACKGROUND = 0.5, 0.1  # IoU


def error_metrics(evaluation: COCOeval) -> dict[str, float]:
    """Return the decomposition as metrics.

    Args:
        evaluation: of boxes or masks, from `score_detections`.

    Returns:
        "errors-missed", ...: counts; "dAP-missed", ...: points of AP50 that fixing them would gain, 0..100.
    """
    found = evaluation.tide_errors(pos_thr=FOREGROUND, bg_thr=BACKGROUND)
    counts = {f"errors-{kind}": float(found["counts"][name]) for kind, name in _HOTCOCO.items()}
    return counts | {f"dAP-{kind}": 100 * found["delta_ap"][name] for kind, name in _HOTCOCO.items()}


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


def image_scores(evaluation: COCOeval) -> dict[int, float]:
    """Each image's own AP at IoU (or OKS) 0.5, 0..100, by image id; none of images without anything to find.

    Detections find objects of their class, and those of all classes stand in one ranking: one of a class that is not in
    the image costs precision too.
    """
    images = evaluation.image_diagnostics(iou_thr=FOREGROUND)["img_summary"]
    return {image: 100 * found["ap"] for image, found in images.items() if found["tp"] + found["fn"]}


def analyse(
    evaluation: COCOeval,
    task: str,
    truth: Mapping,
    detections: Sequence[dict],
    sigmas: Sequence[float] = (),
    flips: Sequence[tuple[str, str]] | None = None,
) -> tuple[dict[str, float], dict]:
    """Analyse an evaluation.

    Args:
        evaluation: from `score_detections`, of all images.
        task: its task.
        truth: content of the annotation file.
        detections: those that were evaluated, in their order.
        sigmas: of the object keypoint similarity; empty for COCO's 17.
        flips: (left, right) keypoints; None for those that the names tell.

    Returns:
        Metrics by name, as `error_metrics` and `part_metrics` return them; and details: "images", image id -> its own
        AP, and for boxes and masks "confusions", as `confusions` returns them.
    """
    details: dict = {"images": image_scores(evaluation)}
    if task != "keypoints":
        return error_metrics(evaluation), details | {"confusions": confusions(evaluation)}
    names = keypoint_names(truth)
    pairs = matches(evaluation, truth, detections) if names else ()
    mirror = mirrored(names, flip_pairs(names) if flips is None else flips)
    return part_metrics(pairs, truth, sigmas or evaluation.params.kpt_oks_sigmas, names, mirror), details


def error_table(found: Mapping[str, Mapping[str, float]], task: str) -> Table:
    """Errors by kind, a row a model.

    Args:
        found: model -> metrics, from `analyse`.
        task: theirs.
    """
    kinds, entry, note = (
        (KEYPOINT_KINDS, _share, "Percent of the labelled keypoints of objects that were found (OKS 0.1).")
        if task == "keypoints"
        else (ERROR_KINDS, _errors, "Errors, and the points of AP50 that fixing them would gain.")
    )
    rows = [[Entry(model), *(Entry(entry(metrics, kind)) for kind in kinds)] for model, metrics in found.items()]
    return Table("Errors by kind", ["detections", *kinds], rows, f"{note} docs/LOCALISATION.md defines them.")


def _share(metrics: Mapping[str, float], kind: str) -> str:
    share = metrics.get(f"keypoints-{kind}")  # there is none where nothing was found
    return EMPTY if share is None else f"{share:.1f}"


def _errors(metrics: Mapping[str, float], kind: str) -> str:
    return f"{metrics[f'errors-{kind}']:,.0f} ({metrics[f'dAP-{kind}']:+.1f})"


def confusion_table(model: str, confusions: Sequence[tuple[str, str, int]], most: int = 10) -> Table:
    """Classes taken for others, the most frequent first.

    Args:
        model: whose.
        confusions: from `analyse`.
        most: how many to show.
    """
    rows = [[Entry(truth), Entry(taken), Entry(f"{times:,}")] for truth, taken, times in confusions[:most]]
    return Table(f"Classes taken for others: {model}", ["object", "taken for", "times"], rows)
