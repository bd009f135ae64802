"""From logits to log-odds, tags, calibration and classes, each worked out by hand."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from igdet.data.records import files_of_one_label
from igdet.engine.tagging import tags
from igdet.engine.tagging.calibration import calibration_path, quality, read_calibration
from igdet.engine.tagging.classifier import Scores, log_odds
from igdet.engine.tagging.tags import chosen_labels, tags_of, write_tags
from igdet.engine.tagging.zero_shot import accuracies, predict
from igdet.evaluation.platt import PlattScaling
from igdet.formats.vocabulary import Vocabulary, VocabularyError
from igdet.utils.errors import UserError
from igdet.utils.hashing import hash_file


def odds(*probabilities):
    p = np.array(probabilities)
    return np.log(p / (1 - p))


def test_log_odds_are_those_of_what_the_loss_has_taught():
    logits = torch.tensor([[0.3, -1.0, 2.0], [0.0, 0.0, 0.0]])
    assert log_odds(logits, "softmax").sigmoid() == pytest.approx(logits.softmax(1).double(), abs=1e-6)
    assert torch.equal(log_odds(logits, "sigmoid"), logits.double())


def test_log_odds_stay_finite_and_in_order_where_one_hashtag_has_everything():
    found = log_odds(torch.tensor([[1000.0, 0.0, -5.0]]), "softmax")
    assert found.isfinite().all() and found[0, 0] > 27 and found[0].tolist() == sorted(found[0].tolist(), reverse=True)


NAMES = ["dog", "tabby", "goldfish"]
BATCHES = [
    Scores(["a", "b"], odds([0.5, 0.2, 0.3], [0.1, 0.2, 0.7]), np.array([False, True])),
    Scores(["c"], odds([0.25, 0.7, 0.05]), np.array([False])),
]


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_tags_are_the_most_probable_of_each_good_image(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(tags, "ROWS", rows)
    first = write_tags(tmp_path / "tags.parquet", tags_of(BATCHES, [0, 1, 2], NAMES, 2, PlattScaling()))
    table = pq.read_table(tmp_path / "tags.parquet")
    assert table["image"].to_pylist() == ["a", "c"]
    assert table["hashtags"].to_pylist() == [["dog", "goldfish"], ["tabby", "dog"]]
    assert np.array(table["probabilities"].to_pylist()) == pytest.approx(np.array([[0.5, 0.3], [0.7, 0.25]]))
    assert first.equals(table[: len(first)]) and len(first) == min(rows, 2)


def test_only_chosen_hashtags_are_answers_and_keep_their_probabilities():
    # Twice the log-odds of 1 to 3 are 1 to 9; a probability does not depend on what else may be an answer.
    [table] = tags_of(BATCHES[1:], [2, 0], NAMES, 5, PlattScaling(2, 0))
    assert table["hashtags"].to_pylist() == [["dog", "goldfish"]]
    assert table["probabilities"].to_pylist()[0] == pytest.approx([0.1, 0.05**2 / (0.05**2 + 0.95**2)])


def test_a_broken_tagging_leaves_the_table_that_was_there(tmp_path):
    (tmp_path / "tags.parquet").write_text("before")

    def broken():
        yield from tags_of(BATCHES, [0], NAMES, 1, PlattScaling())
        raise UserError("stop")

    with pytest.raises(UserError):
        write_tags(tmp_path / "tags.parquet", broken())
    assert [path.name for path in tmp_path.iterdir()] == ["tags.parquet"]
    assert (tmp_path / "tags.parquet").read_text() == "before"


def test_a_list_of_ones_own_is_found_in_other_spellings_and_hints_at_near_ones(tmp_path):
    vocabulary = Vocabulary([["dog", "canis"], ["tabby"], ["gold_fish"]])
    (tmp_path / "mine.txt").write_text("#GoldFish\ntabbyy\ncanis\ndog\nqqq\n")
    assert chosen_labels(str(tmp_path / "mine.txt"), vocabulary) == (
        [2, 0],
        ["'tabbyy'; did you mean 'tabby'?", "'qqq'"],
    )
    assert chosen_labels("", vocabulary) == ([0, 1, 2], [])
    (tmp_path / "mine.txt").write_text("tabbyy\n")
    with pytest.raises(VocabularyError, match="none of its hashtags is one of the classifier's 3: 'tabbyy'; did you"):
        chosen_labels(str(tmp_path / "mine.txt"), vocabulary)


def test_the_quality_of_probabilities():
    # All four: 0.8 and 0.6 are right, 0.2 and 0.4 wrong; each is off by 0.2 or 0.4. The best: 0.8 right, 0.6 wrong.
    found = quality(np.array([[0.8, 0.2], [0.6, 0.4]]), np.array([[True, False], [False, True]]))
    assert found["ece_top1"] == pytest.approx(100 * (0.2 + 0.6) / 2)
    assert found["ece"] == pytest.approx(100 * (0.2 + 0.2 + 0.6 + 0.6) / 4)
    assert found["log_loss"] == pytest.approx(-(2 * np.log(0.8) + 2 * np.log(0.4)) / 2)
    assert quality(np.array([[0.0, 1.0]]), np.array([[True, False]]))["log_loss"] < np.inf


def test_a_calibration_is_that_of_its_weights(tmp_path):
    weights = tmp_path / "model_final.pth"
    weights.write_bytes(b"weights")
    assert read_calibration(weights) is None
    record = {"slope": 0.5, "intercept": -1.0, "weights_sha256": hash_file(weights)}
    path = calibration_path(weights)
    assert path.name == "model_final.calibration.json"
    path.write_text(json.dumps(record))
    assert read_calibration(weights) == PlattScaling(0.5, -1.0)
    for wrong in ({"slope": "1"}, {"slope": -1.0}, {"intercept": None}, {"intercept": float("nan")}):
        path.write_text(json.dumps({**record, **wrong}))
        with pytest.raises(UserError, match="slope and intercept are"):
            read_calibration(weights)
    path.write_text(json.dumps(record))
    weights.write_bytes(b"others")
    with pytest.raises(UserError, match="was made for other weights"):
        read_calibration(weights)


def test_classes_have_the_sums_of_their_hashtags_and_none_without_any_is_an_answer():
    classes = ["canine", "cat", "fish", "zorblax"]
    leaf = np.array([[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0.5, 0]], float)
    sums = {"leaf": leaf, "hypernym": leaf + np.array([[1, 0, 0, 0], [0] * 4, [0] * 4], float)}
    records = files_of_one_label(".", ["a", "b", "c"], np.array([0, 2, 3]))
    found = predict(BATCHES, records, PlattScaling(), sums)
    # leaf: cat 0.2, fish 0.15; cat 0.2, fish 0.35; cat 0.7, fish 0.025
    assert [of.top_classes.tolist() for of in found["leaf"]] == [[1, 2], [2, 1], [1, 2]]
    assert [of.top_scores[0] for of in found["leaf"]] == pytest.approx([0.2 / 0.35, 0.35 / 0.55, 0.7 / 0.725])
    # hypernym: with canine 0.5, 0.1, 0.25
    assert [of.top_classes.tolist() for of in found["hypernym"]] == [[0, 1, 2], [2, 1, 0], [1, 0, 2]]
    assert [of.image_id for of in found["hypernym"]] == ["a", "b", "c"]
    measured = accuracies(found["leaf"], classes, sums["leaf"])
    assert measured["top1"] == pytest.approx(100 / 3) and measured["top1_covered"] == 100  # of b alone
    measured = accuracies(found["hypernym"], classes, sums["hypernym"])
    assert measured["top1"] == pytest.approx(200 / 3) and measured["top5"] == pytest.approx(200 / 3)
    assert accuracies(found["leaf"][2:], classes, sums["leaf"])["top1_covered"] == 0
