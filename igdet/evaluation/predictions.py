"""What a classifier said about each image: gathered over the ranks, written as one Parquet file.

Shape shorthand: N: number of images, L: number of classes, T: number of kept answers, min(5, L).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from detectron2.utils import comm
from torch import Tensor

from igdet.utils.files import atomic_write

TOP_CLASSES = 5  # the top-5 accuracy and recall@5 look no further


@dataclass(frozen=True)
class Prediction:
    """One image's labels and the classifier's best answers."""

    image_id: str
    gt_classes: np.ndarray  # (k,) int, k >= 1
    top_classes: np.ndarray  # (T,) int, best first
    top_scores: np.ndarray  # (T,) float32, softmax probabilities
    log_scores: np.ndarray | None = None  # (L,) float32, log of the softmax; only where a metric needs every score

    @property
    def hits(self) -> np.ndarray:
        """(T,) bool: which of the best answers are among the labels."""
        return np.isin(self.top_classes, self.gt_classes)


def predictions_of(
    inputs: Sequence[dict], outputs: Sequence[dict], keep_all_scores: bool, answers: Sequence[int] | None = None
) -> list[Prediction]:
    """Read one batch of the classifier.

    Args:
        inputs: dicts with "image_id" and "gt_classes" (k,) int64.
        outputs: dicts with "pred_class_logits" (L,) float.
        keep_all_scores: whether each prediction keeps its L log scores, 4 bytes a class.
        answers: the class ids that can be answers, None for all; the others get the probability 0.

    Returns:
        One prediction an image, on the CPU.
    """
    logits = torch.stack([output["pred_class_logits"] for output in outputs]).float()  # N, L
    # Logarithms rank as probabilities do, and still tell classes apart whose probabilities would both be 0 in float32.
    log_scores = _only(logits, answers).log_softmax(dim=1)  # N, L
    top_scores, top_classes = log_scores.exp().topk(min(TOP_CLASSES, log_scores.shape[1]), dim=1)  # N, T
    all_scores = log_scores.cpu().numpy() if keep_all_scores else [None] * len(inputs)
    rows = zip(inputs, top_classes.cpu().numpy(), top_scores.cpu().numpy(), all_scores, strict=True)
    return [Prediction(record["image_id"], np.asarray(record["gt_classes"]), *answers) for record, *answers in rows]


def predictions_of_scores(image_ids: Sequence[str], labels: np.ndarray, log_scores: Tensor) -> list[Prediction]:
    """Read the scores of a whole data set; of equal scores the class of the lower id is the better answer.

    Args:
        image_ids: N names.
        labels: int (N,), one class each.
        log_scores: (N, L) float, log probabilities.

    Returns:
        N predictions.
    """
    scores, classes = log_scores.sort(dim=1, descending=True, stable=True)
    top_scores = scores[:, :TOP_CLASSES].exp().float().numpy()
    rows = zip(image_ids, labels[:, None], classes[:, :TOP_CLASSES].numpy(), top_scores, strict=True)
    return [Prediction(*row) for row in rows]


def _only(logits: torch.Tensor, answers: Sequence[int] | None) -> torch.Tensor:
    """(N, L) logits, minus infinity but for the answers."""
    if answers is None:
        return logits
    kept = torch.full_like(logits, float("-inf"))
    kept[:, answers] = logits[:, answers]
    return kept


def gather(predictions: list[Prediction]) -> list[Prediction]:
    """Bring the predictions of all ranks to the main process; the others get an empty list."""
    return list(itertools.chain.from_iterable(comm.gather(predictions, dst=0)))


def write_predictions(path: Path, predictions: Sequence[Prediction]) -> None:
    """Write predictions atomically as Parquet: image_id, gt_classes, top_classes, top_scores.

    Args:
        path: the file.
        predictions: one an image, in the order of the rows.
    """
    table = pa.table(
        {
            "image_id": pa.array([p.image_id for p in predictions], pa.string()),
            "gt_classes": pa.array([p.gt_classes for p in predictions], pa.list_(pa.int32())),
            "top_classes": pa.array([p.top_classes for p in predictions], pa.list_(pa.int32())),
            "top_scores": pa.array([p.top_scores for p in predictions], pa.list_(pa.float32())),
        }
    )
    with atomic_write(path) as file:
        pq.write_table(table, file)
