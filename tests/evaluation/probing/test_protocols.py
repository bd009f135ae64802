"""The protocols on features that one can look through: what they choose, report and refuse."""

import math

import numpy as np
import pytest

from igdet.evaluation.probing.protocols import Settings, knn, kshot, linear
from igdet.evaluation.probing.splits import LabelledFeatures

SETTINGS = Settings(4, 0, 0.2, (0.1, 1.0, 10.0, 1e9), (1, 2), 3, (1, 5, 20, 10_000), 0.07)


def blobs(images, seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(images) % 4
    features = np.eye(4, 6)[labels] * 3 + rng.normal(size=(images, 6))
    return LabelledFeatures(f"blobs{seed}", features.astype(np.float32), labels, [f"{i}.png" for i in range(images)])


@pytest.fixture(scope="module")
def sets():
    return blobs(200, 1), blobs(400, 2)


def test_the_linear_probe_chooses_on_the_held_out_part(sets):
    outcome = linear(*sets, SETTINGS)
    held_out = outcome.record["held_out"]
    assert list(held_out) == [0.1, 1, 10, 1e9]
    assert held_out[outcome.record["chosen"]] == max(held_out.values())
    assert outcome.record["top1"] > 80
    assert outcome.log_scores.exp().sum(1).numpy() == pytest.approx(1, abs=1e-5)


def test_the_test_set_decides_on_nothing(sets):
    train, test = sets
    wrong = LabelledFeatures("wrong", test.features, (test.labels + 1) % 4, test.image_ids)
    for protocol in (linear, knn):
        ours, theirs = protocol(train, test, SETTINGS), protocol(train, wrong, SETTINGS)
        assert {**ours.record, "top1": 0} == {**theirs.record, "top1": 0}
        assert (ours.log_scores == theirs.log_scores).all()


def test_kshot_reports_mean_and_spread_of_its_draws(sets):
    record = kshot(*sets, SETTINGS).record
    assert list(record) == ["1", "2", "all"]
    for of in record.values():
        assert of["n"] == len(of["top1"]) == 3
        assert of["mean"] == pytest.approx(np.mean(of["top1"]))
        assert of["spread"] == pytest.approx(np.std(of["top1"], ddof=1))
        # 4.303: Student's t for 2 degrees of freedom.
        assert of["high"] - of["mean"] == pytest.approx(4.303 * of["spread"] / math.sqrt(3), rel=1e-3)
    assert record["1"]["mean"] < record["all"]["mean"]


def test_neighbours_beyond_the_training_set_are_not_tried(sets):
    outcome = knn(*sets, SETTINGS)
    assert list(outcome.record["held_out"]) == [1, 5, 20]
    assert outcome.record["top1"] > 70


def test_a_best_value_at_the_end_of_its_range_is_reported(sets, caplog):
    settings = Settings(**{**SETTINGS.__dict__, "strengths": (1e-9, 1.0)})
    linear(*sets, settings)
    assert "PROBE.STRENGTHS: the largest, 1, was best" in caplog.text
    caplog.clear()
    kshot(*sets, settings)
    [warning] = [text for text in caplog.messages if "the largest, 1, was best" in text]
    assert "of 9 draws" in warning  # three of 1 and of 2 images a class, and of all


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("float32", np.inf), ("float32", -np.inf), ("float32", np.nan), ("float32", -1e16), ("float16", np.inf)],
)
def test_features_that_are_not_finite_or_too_large_are_named(sets, dtype, value):
    train, _ = sets
    features = train.features.astype(dtype)
    features[150, 2] = value
    with pytest.raises(ValueError, match=r"blobs1: the features of 150.png are not finite"):
        LabelledFeatures("blobs1", features, train.labels, train.image_ids)
