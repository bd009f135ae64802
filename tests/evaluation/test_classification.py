"""Classification accuracy against hand-counted images, and the file of predictions."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from igdet.evaluation import ClassificationEvaluator

NAMES = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu"]


def batch(*images):
    """(id, label, ranking best first) -> inputs and outputs of the classifier."""
    inputs = [{"image_id": name, "gt_classes": torch.tensor([label])} for name, label, _ in images]
    outputs = []
    for _, _, ranking in images:
        logits = torch.zeros(len(NAMES))
        logits[list(ranking)] = torch.arange(len(ranking), 0, -1).float()
        outputs.append({"pred_class_logits": logits})
    return inputs, outputs


def evaluate(tmp_path, *batches):
    evaluator = ClassificationEvaluator(NAMES, tmp_path)
    evaluator.reset()
    for inputs, outputs in batches:
        evaluator.process(inputs, outputs)
    return evaluator.evaluate()


def test_hand_counted_accuracy(tmp_path):
    results = evaluate(
        tmp_path,
        batch(("a", 0, (0, 1, 2, 3, 4)), ("b", 0, (1, 0, 2, 3, 4))),
        batch(("c", 3, (6, 5, 4, 2, 3)), ("d", 6, (0, 1, 2, 3, 4))),
    )
    # right at once: a; within five: a, b, c; never: d
    confidence = np.exp(5) / np.exp([5, 4, 3, 2, 1, 0, 0]).sum()  # of each best answer, of which one in four is right
    assert results["classification"].pop("ece") == pytest.approx(100 * (confidence - 0.25))
    assert results == {
        "classification": {"top1": 25.0, "top5": 75.0, "top1-ant": 50.0, "top1-dog": 0.0, "top1-gnu": 0.0}
    }


def test_predictions_are_written(tmp_path):
    evaluate(tmp_path, batch(("a", 2, (2, 1, 0, 3, 4)), ("b", 0, (1, 0, 2, 3, 4))))
    rows = pq.read_table(tmp_path / "predictions.parquet").to_pylist()
    assert [row["image_id"] for row in rows] == ["a", "b"]
    assert rows[0]["gt_classes"] == [2]
    assert rows[1]["top_classes"] == [1, 0, 2, 3, 4]
    weights = np.exp([5, 4, 3, 2, 1, 0, 0])
    np.testing.assert_allclose(rows[0]["top_scores"], weights[:5] / weights.sum(), rtol=1e-6)


def test_fewer_than_five_classes(tmp_path):
    evaluator = ClassificationEvaluator(["yes", "no"], tmp_path)
    evaluator.process(
        [{"image_id": "a", "gt_classes": torch.tensor([1])}], [{"pred_class_logits": torch.tensor([2.0, 1.0])}]
    )
    results = evaluator.evaluate()["classification"]
    assert results.pop("ece") == pytest.approx(100 / (1 + np.exp(-1)))  # sure to that degree, and wrong
    assert results == {"top1": 0.0, "top5": 100.0, "top1-no": 0.0}


def test_reset_forgets(tmp_path):
    evaluator = ClassificationEvaluator(NAMES, tmp_path)
    evaluator.process(*batch(("a", 0, (1,))))
    evaluator.reset()
    evaluator.process(*batch(("b", 0, (0,))))
    assert evaluator.evaluate()["classification"]["top1"] == 100.0


def test_nothing_to_evaluate_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no image to evaluate"):
        evaluate(tmp_path / "val")


def test_only_classes_of_the_data_set_can_be_answers(tmp_path):
    """As on ImageNet-A and -R: the best of all classes is right for c only after the others are left out."""
    images = batch(("a", 0, (1, 0, 2, 3, 4)), ("b", 2, (3, 4, 2, 1, 0)), ("c", 6, (5, 6, 0, 1, 2)))
    evaluator = ClassificationEvaluator(NAMES, tmp_path, answers=[0, 2, 6])
    evaluator.process(*images)
    assert evaluator.evaluate()["classification"]["top1"] == 100.0
    rows = pq.read_table(tmp_path / "predictions.parquet").to_pylist()
    assert [row["top_classes"][:3] for row in rows] == [[0, 2, 6], [2, 0, 6], [6, 0, 2]]
    weights = np.exp([4, 3, 0])  # the logits of 0, 2, 6
    np.testing.assert_allclose(rows[0]["top_scores"], [*(weights / weights.sum()), 0, 0], rtol=1e-6)
    assert evaluate(tmp_path / "all", images)["classification"]["top1"] == 0.0


def test_any_of_several_labels_is_right(tmp_path):
    """As with ReaL labels; an image counts for the class of each of its labels."""
    inputs, outputs = batch(("a", 0, (1,)), ("b", 0, (2,)), ("c", 3, (3,)))
    inputs[0]["gt_classes"] = torch.tensor([0, 1])
    evaluator = ClassificationEvaluator(NAMES, tmp_path)
    evaluator.process(inputs, outputs)
    results = evaluator.evaluate()["classification"]
    per_class = {name: value for name, value in results.items() if name.startswith("top1-")}
    assert results["top1"] == pytest.approx(200 / 3)
    assert per_class == {"top1-ant": 50.0, "top1-bee": 100.0, "top1-dog": 100.0}
