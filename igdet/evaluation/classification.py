"""Evaluation of classifiers: the shared collecting of predictions; accuracy, per class too, and calibration."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from detectron2.evaluation import DatasetEvaluator
from detectron2.utils import comm

from igdet.evaluation.calibration import expected_calibration_error
from igdet.evaluation.predictions import Prediction, gather, predictions_of, write_predictions
from igdet.utils.errors import UserError


class PredictionEvaluator(DatasetEvaluator):
    """Collects the predictions of all ranks, writes them, and reports the metrics that a subclass works out.

    Args:
        class_names: name of each class, by its id.
        output_dir: folder that gets `predictions.parquet`.
    """

    task: str
    needs_all_scores = False

    def __init__(self, class_names: Sequence[str], output_dir: str | Path):
        self._class_names = class_names
        self._output_dir = Path(output_dir)
        self._predictions: list[Prediction] = []

    def reset(self) -> None:
        """Forget the pictures seen so far."""
        self._predictions = []

    def process(self, inputs: list[dict], outputs: list[dict]) -> None:
        """Take in one batch; see `predictions_of` for what the dicts hold."""
        self._predictions += predictions_of(inputs, outputs, self.needs_all_scores)

    def evaluate(self) -> dict[str, dict[str, float]]:
        """Work out the metrics over all ranks.

        Returns:
            {task: {metric: percent, 0..100}} on the main process, {} on the others.

        Raises:
            UserError: there was no picture to evaluate.
        """
        predictions = gather(self._predictions)
        if not comm.is_main_process():
            return {}
        if not predictions:
            raise UserError(f"{self._output_dir.name}: there was no picture to evaluate; check DATASETS.TEST")
        write_predictions(self._output_dir / "predictions.parquet", predictions)
        return OrderedDict({self.task: self.metrics(predictions)})

    def metrics(self, predictions: Sequence[Prediction]) -> dict[str, float]:
        """Metric name -> percent, 0..100, for one or more predictions."""
        raise NotImplementedError


class ClassificationEvaluator(PredictionEvaluator):
    """Accuracy on pictures of one label each: "top1", "top5", "ece", and "top1-<class>" for each class that occurs."""

    task = "classification"

    def metrics(self, predictions: Sequence[Prediction]) -> dict[str, float]:
        """As `PredictionEvaluator.metrics`; top5 counts all answers where there are fewer than five classes."""
        hits = np.stack([prediction.hits for prediction in predictions])  # N, T
        labels = np.array([prediction.gt_classes[0] for prediction in predictions])  # N
        per_class = {f"top1-{self._class_names[c]}": 100 * hits[labels == c, 0].mean() for c in np.unique(labels)}
        confidences = np.array([prediction.top_scores[0] for prediction in predictions])  # N
        overall = {
            "top1": 100 * hits[:, 0].mean(),
            "top5": 100 * hits.any(axis=1).mean(),
            "ece": 100 * expected_calibration_error(confidences, hits[:, 0]),
        }
        return {name: float(value) for name, value in {**overall, **per_class}.items()}
