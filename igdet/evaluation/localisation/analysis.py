"""The whole analysis of one task: metrics that join the others, and details for the report."""

from collections.abc import Mapping, Sequence

from hotcoco import COCOeval

from igdet.evaluation.coco_annotations import keypoint_names
from igdet.evaluation.localisation.errors import confusions, error_metrics, picture_scores
from igdet.evaluation.localisation.keypoints import matches, part_metrics
from igdet.utils.keypoint_names import flip_pairs, mirrored


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
        evaluation: from `score_detections`, of all pictures.
        task: its task.
        truth: content of the annotation file.
        detections: those that were evaluated, in their order.
        sigmas: of the object keypoint similarity; empty for COCO's 17.
        flips: (left, right) keypoints; None for those that the names tell.

    Returns:
        Metrics by name, as `error_metrics` and `part_metrics` give them; and details: "pictures", image id -> its own
        AP, and for boxes and masks "confusions", as `confusions` gives them.
    """
    details: dict = {"pictures": picture_scores(evaluation)}
    if task != "keypoints":
        return error_metrics(evaluation), details | {"confusions": confusions(evaluation)}
    names = keypoint_names(truth)
    pairs = matches(evaluation, truth, detections) if names else ()
    mirror = mirrored(names, flip_pairs(names) if flips is None else flips)
    return part_metrics(pairs, truth, sigmas or evaluation.params.kpt_oks_sigmas, names, mirror), details
