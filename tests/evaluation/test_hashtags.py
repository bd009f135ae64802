"""Hashtag metrics against hand-worked posts and scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from igdet.evaluation import HashtagEvaluator
from igdet.evaluation.hashtags import average_precision, mean_average_precision
from igdet.modeling.losses import KHotLabels, khot_softmax_loss


def test_hand_worked_posts(tmp_path):
    evaluator = HashtagEvaluator([f"#{i}" for i in range(7)], tmp_path)
    logits = torch.tensor([[7.0, 6, 5, 4, 3, 2, 1], [1.0, 2, 3, 4, 5, 6, 7]])
    labels = [torch.tensor([0, 6]), torch.tensor([4])]
    evaluator.process(
        [{"image_id": str(i), "gt_classes": ids} for i, ids in enumerate(labels)],
        [{"pred_class_logits": row} for row in logits],
    )
    results = evaluator.evaluate()["hashtags"]
    # Post 0: its best answer is right, one of its two hashtags is among the best five. Post 1: wrong, one of one.
    assert results["precision@1"] == 50.0
    assert results["recall@5"] == pytest.approx(100 * (1 / 2 + 1) / 2)
    # #0: post 0 is ranked first, AP 1. #6: post 0 is ranked second, AP 1/2. #4: post 1 is ranked first, AP 1.
    assert results["mAP"] == pytest.approx(100 * (1 + 1 / 2 + 1) / 3)
    # The loss that training on these posts would have.
    assert results["loss"] == pytest.approx(float(khot_softmax_loss(logits, KHotLabels.of(labels, 7))))


def test_average_precision_of_a_hand_worked_ranking():
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    assert average_precision(scores, np.array([True, False, True, False])) == pytest.approx((1 / 1 + 2 / 3) / 2)


@pytest.mark.parametrize("levels", [3, 10**6])
def test_average_precision_equals_scikit_learn_with_and_without_ties(levels):
    generator = np.random.default_rng(0)
    for _ in range(20):
        scores = generator.integers(levels, size=50) / levels
        relevant = generator.random(50) < 0.3
        assert average_precision(scores, relevant) == pytest.approx(average_precision_score(relevant, scores))


def test_mean_runs_over_the_hashtags_that_occur():
    generator = np.random.default_rng(1)
    scores = generator.normal(size=(30, 9))
    labels = [generator.choice(7, size=generator.integers(1, 4), replace=False) for _ in range(30)]  # 7 and 8 never
    dense = np.zeros((30, 9), bool)
    for row, ids in enumerate(labels):
        dense[row, ids] = True
    expected = average_precision_score(dense[:, dense.any(axis=0)], scores[:, dense.any(axis=0)], average="macro")
    assert mean_average_precision(scores, labels) == pytest.approx(expected)
