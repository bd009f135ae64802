"""Classes of a target scored by hashtags, without any training on it.

Shape shorthand: B: images of a batch, L: labels, C: classes, T: kept answers.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from detectron2.config import CfgNode
from detectron2.data import MetadataCatalog

from igdet.data.records import Records
from igdet.engine.tagging.classifier import Scores
from igdet.evaluation.classification import ClassificationEvaluator
from igdet.evaluation.platt import PlattScaling
from igdet.evaluation.predictions import TOP_CLASSES, Prediction
from igdet.formats.errors import DatasetError


def target_of(cfg: CfgNode) -> tuple[str, list[str], np.ndarray]:
    """Return name and class names of the registered set of DATASETS.TEST, and bool (C,): which can be answers.

    Raises:
        DatasetError: it is no set of classes.
    """
    [name] = cfg.DATASETS.TEST
    metadata = MetadataCatalog.get(name)
    if metadata.get("evaluator_type") != "classification":
        raise DatasetError(f"{name} is no data set with one class an image: expected one, such as a folder a class")
    classes = list(metadata.thing_classes)
    answers = metadata.get("answers")
    return name, classes, np.isin(np.arange(len(classes)), range(len(classes)) if answers is None else answers)


def predict(
    batches: Iterable[Scores], records: Records, scaling: PlattScaling, sums: Mapping[str, np.ndarray]
) -> dict[str, list[Prediction]]:
    """Answer with the classes of the highest scores; what no hashtag covers is never an answer.

    Args:
        batches: scores of all records, in their order.
        records: the target's images.
        scaling: makes probabilities of hashtags.
        sums: by name, float64 (L, C): how much of each hashtag's probability each class gets.

    Returns:
        For each of the sums one prediction an image; its scores are shares of the image's sum over all classes.
    """
    found: dict[str, list[Prediction]] = {name: [] for name in sums}
    done = 0
    for batch in batches:
        probabilities = scaling.probabilities(batch.log_odds)  # B, L
        labels = [records.labels(done + row) for row in range(len(batch.image_ids))]
        done += len(labels)
        for name, weights in sums.items():
            rows = zip(batch.image_ids, labels, *_best(probabilities, weights), strict=True)
            found[name] += [Prediction(*row) for row in rows]
    return found


def _best(probabilities: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the best classes, int (B, T), and their scores, float32 (B, T)."""
    covered = np.flatnonzero(weights.any(axis=0))
    scores = probabilities @ weights[:, covered]
    scores /= np.maximum(scores.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :TOP_CLASSES]
    return covered[best], np.take_along_axis(scores, best, axis=1).astype(np.float32)


def accuracies(predictions: list[Prediction], classes: list[str], weights: np.ndarray) -> dict[str, float]:
    """Measure answers.

    Args:
        predictions: of one kind of sums, at least one.
        classes: names, C.
        weights: (L, C), the sums.

    Returns:
        "top1", "top5" and "ece" of all images, "top1_covered" of those whose class a hashtag covers; percent.
    """
    evaluator, covered = ClassificationEvaluator(classes, ""), np.any(weights, axis=0)
    of_covered = [prediction for prediction in predictions if np.any(covered[prediction.gt_classes])]
    overall = evaluator.metrics(predictions)
    top1_covered = evaluator.metrics(of_covered)["top1"] if of_covered else 0.0
    return {**{key: overall[key] for key in ("top1", "top5", "ece")}, "top1_covered": top1_covered}
