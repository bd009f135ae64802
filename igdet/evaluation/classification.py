"""Evaluation of classifiers: the shared collecting of predictions; accuracy, per class too, and calibration."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from detectron2.evaluation import DatasetEvaluator
from detectron2.utils import comm

from igdet.evaluation.predictions import Prediction, gather, predictions_of, write_predictions
from igdet.utils.errors import UserError

BINS = 15


def expected_calibration_error(confidences: np.ndarray, hits: np.ndarray) -> float:
    """Mean of |accuracy - mean confidence| over the bins, each weighted with its number of images.

    Args:
        confidences: (N,) float, 0..1, N >= 1; a bin holds its upper edge, the first one 0 too.
        hits: (N,) bool, whether the best answer is right.

    Returns:
        The error, 0..1.
    """
    # ECE = sum_b n_b / N |accuracy_b - confidence_b| (Guo et al. 2017, arXiv 1706.04599). Both means divide
    # by n_b, which the weight n_b takes away again: what is left is |sum of (hit - confidence)| of each bin, over N.
    bins = np.clip(np.ceil(confidences.astype(np.float64) * BINS) - 1, 0, BINS - 1).astype(int)
    gaps = np.bincount(bins, weights=hits - confidences.astype(np.float64), minlength=BINS)  # a bin's count cancels
    return float(np.abs(gaps).sum() / len(confidences))


class PredictionEvaluator(DatasetEvaluator):
    """Collects the predictions of all ranks, writes them, and reports the metrics that a subclass computes.

    Args:
        class_names: name of each class, by its id.
        output_dir: folder that gets `predictions.parquet`.
        answers: ids of the classes that occur in the data set, where only these can be answers: the logits of all
            others are left out, as the makers of ImageNet-A and -R do. None: every class can.
    """

    task: str
    needs_all_scores = False

    def __init__(self, class_names: Sequence[str], output_dir: str | Path, answers: Sequence[int] | None = None):
        self._class_names = class_names
        self._answers = answers
        self._output_dir = Path(output_dir)
        self._predictions: list[Prediction] = []

    def reset(self) -> None:
        """Forget the images seen so far."""
        self._predictions = []

    def process(self, inputs: list[dict], outputs: list[dict]) -> None:
        """Take in one batch; see `predictions_of` for what the dicts hold."""
        self._predictions += predictions_of(inputs, outputs, self.needs_all_scores, self._answers)

    def evaluate(self) -> dict[str, dict[str, float]]:
        """Work out the metrics over all ranks.

        Returns:
            {task: {metric: percent, 0..100}} on the main process, {} on the others.

        Raises:
            UserError: there was no image to evaluate.
        """
        predictions = gather(self._predictions)
        if not comm.is_main_process():
            return {}
        if not predictions:
            raise UserError(f"{self._output_dir.name}: there was no image to evaluate; check DATASETS.TEST")
        write_predictions(self._output_dir / "predictions.parquet", predictions)
        return OrderedDict({self.task: self.metrics(predictions)})

    def metrics(self, predictions: Sequence[Prediction]) -> dict[str, float]:
        """Metric name -> percent, 0..100, for one or more predictions."""
        raise NotImplementedError


class ClassificationEvaluator(PredictionEvaluator):
    """Accuracy: "top1", "top5", "ece", and "top1-<class>" for each class that occurs.

    Where an image has several labels, as in ReaL, each is a right answer, and the image counts for each class.
    """

    task = "classification"

    def metrics(self, predictions: Sequence[Prediction]) -> dict[str, float]:
        """As `PredictionEvaluator.metrics`; top5 counts all answers where there are fewer than five classes."""
        hits = np.stack([prediction.hits for prediction in predictions])  # N, T
        confidences = np.array([prediction.top_scores[0] for prediction in predictions])  # N
        overall = {
            "top1": 100 * hits[:, 0].mean(),
            "top5": 100 * hits.any(axis=1).mean(),
            "ece": 100 * expected_calibration_error(confidences, hits[:, 0]),
        }
        return {name: float(value) for name, value in {**overall, **self._per_class(predictions, hits[:, 0])}.items()}

    def _per_class(self, predictions: Sequence[Prediction], hits: np.ndarray) -> dict[str, float]:
        """Top-1 of the images of each class; hits: (N,) bool."""
        labels = np.concatenate([prediction.gt_classes for prediction in predictions])  # M labels of N images
        hits_by_label = np.repeat(hits, [len(prediction.gt_classes) for prediction in predictions])  # M
        totals, right = np.bincount(labels), np.bincount(labels, weights=hits_by_label)
        return {f"top1-{self._class_names[c]}": 100 * right[c] / totals[c] for c in np.flatnonzero(totals).tolist()}
