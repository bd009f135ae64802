"""The whole analysis of one task: metrics that join the others, and details for the report."""

from collections.abc import Mapping, Sequence

from hotcoco import COCOeval

from igdet.evaluation.localisation.errors import confusions, error_metrics, picture_scores
from igdet.evaluation.localisation.keypoints import matches, part_metrics


def analyse(
    evaluation: COCOeval, task: str, truth: Mapping, detections: Sequence[dict], sigmas: Sequence[float] = ()
) -> tuple[dict[str, float], dict]:
    """Analyse an evaluation.

    Args:
        evaluation: from `score_detections`, of all pictures.
        task: its task.
        truth: content of the annotation file.
        detections: those that were evaluated, in their order.
        sigmas: of the object keypoint similarity; empty for COCO's 17.

    Returns:
        Metrics by name, as `error_metrics` and `part_metrics` give them; and details: "pictures", image id -> its own
        AP, and for boxes and masks "confusions", as `confusions` gives them.
    """
    details: dict = {"pictures": picture_scores(evaluation)}
    if task != "keypoints":
        return error_metrics(evaluation), details | {"confusions": confusions(evaluation)}
    names = truth["categories"][0].get("keypoints", [])
    pairs = matches(evaluation, truth, detections) if names else ()
    return part_metrics(pairs, truth, sigmas or evaluation.params.kpt_oks_sigmas, names), details
