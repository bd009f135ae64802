"""Evaluation of hashtag prediction on held-out posts: precision@1, recall@5, mean average precision over hashtags.

Shape shorthand: N: number of posts, L: number of hashtags.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np

from igdet.evaluation.classification import PredictionEvaluator
from igdet.evaluation.predictions import Prediction


class HashtagEvaluator(PredictionEvaluator):
    """Quality of hashtag prediction on posts with one or more hashtags each.

    - precision@1: share of posts whose best answer is one of their hashtags.
    - recall@5: mean over posts of the share of their hashtags that is among the five best answers.
    - loss: mean over posts of -1/k sum log p over their k hashtags, p the softmax of all logits, in nats: the loss of
      pretraining ("Exploring the Limits of Weakly Supervised Pretraining", section 2.2), on held-out posts.
    - mAP: mean over the hashtags that occur of the average precision of the posts ranked by that hashtag's probability.

    It keeps 4 * N * L bytes of scores: 1.4 GB for 20,000 posts and 17,000 hashtags.
    """

    task = "hashtags"
    needs_all_scores = True

    def metrics(self, predictions: Sequence[Prediction]) -> dict[str, float]:
        """As `PredictionEvaluator.metrics`, but for the loss in percent."""
        precision = np.mean([prediction.hits[0] for prediction in predictions])
        recall = np.mean([prediction.hits.sum() / len(prediction.gt_classes) for prediction in predictions])
        scores = np.stack([cast(np.ndarray, prediction.log_scores) for prediction in predictions])  # N, L
        labels = [prediction.gt_classes for prediction in predictions]
        loss = -np.mean([row[ids].mean() for row, ids in zip(scores, labels, strict=True)])
        return {
            "precision@1": 100 * float(precision),
            "recall@5": 100 * float(recall),
            "mAP": 100 * mean_average_precision(scores, labels),
            "loss": float(loss),
        }


def mean_average_precision(scores: np.ndarray, labels: Sequence[np.ndarray]) -> float:
    """Mean, over the labels that occur, of the average precision of the rows ranked by that label's score.

    Args:
        scores: (N, L) float.
        labels: N arrays of distinct label ids in 0..L-1.

    Returns:
        The mean, 0..1.
    """
    rows = np.repeat(np.arange(len(labels)), [len(ids) for ids in labels])
    ids = np.concatenate(labels)
    # The labels' rows by one sort of all M labels: a search for each label would go over them L times.
    by_label = np.argsort(ids, kind="stable")
    occurring, starts = np.unique(ids[by_label], return_index=True)
    precisions = []
    for label, members in zip(occurring, np.split(rows[by_label], starts[1:]), strict=True):
        relevant = np.zeros(len(scores), bool)
        relevant[members] = True
        precisions.append(average_precision(scores[:, label], relevant))
    return float(np.mean(precisions))


def average_precision(scores: np.ndarray, relevant: np.ndarray) -> float:
    """Average precision of one ranking: the sum over score thresholds of precision * (recall - recall before).

    Rows of equal score enter together, so that their order does not matter.

    Args:
        scores: (N,) float, higher is ranked first.
        relevant: (N,) bool, at least one true.

    Returns:
        The average precision, 0..1.
    """
    # AP = sum over thresholds of P_n (R_n - R_(n-1)), P = hits / taken and R = hits / all relevant; scikit-learn's
    # definition, without interpolation. A threshold lies behind the last of equal scores, never between them.
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], np.cumsum(relevant[order])
    last_of_ties = np.append(scores[1:] != scores[:-1], True)
    hits, taken = hits[last_of_ties], np.flatnonzero(last_of_ties) + 1
    return float(np.sum(np.diff(hits, prepend=0) * hits / taken) / hits[-1])
