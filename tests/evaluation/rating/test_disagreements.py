"""Disagreements, and predictions that are those of another data set."""

import pyarrow as pa
import pytest

from igdet.evaluation.rating.questions import Disagreement, find_disagreements
from igdet.utils.errors import UserError

LABELS = {"a": 0, "b": 1, "c": 2}
NAMES = ["x", "y", "z"]


def predictions(ids=("a", "b", "c"), labels=(0, 1, 2), answers=(0, 2, 0)):
    columns = {"image_id": ids, "gt_classes": [[label] for label in labels], "top_classes": [[a, 1] for a in answers]}
    return pa.table({name: list(column) for name, column in columns.items()})


def test_disagreements_are_found():
    questions = find_disagreements(predictions(), LABELS, NAMES, None, 0)
    assert (questions.images, questions.right) == (3, 1)
    assert sorted(questions.disagreements) == [Disagreement("b", 1, 2), Disagreement("c", 2, 0)]


def test_a_sample_is_the_beginning_of_the_whole():
    ids = [str(number) for number in range(50)]
    labels, table = dict.fromkeys(ids, 0), predictions(ids, [0] * 50, [1] * 50)
    whole = find_disagreements(table, labels, NAMES, None, 3).disagreements
    assert sorted(row.image_id for row in whole) == sorted(ids) != [row.image_id for row in whole]
    for sample in (1, 7, 99):
        assert find_disagreements(table, labels, NAMES, sample, 3).disagreements == whole[:sample]


def test_nothing_to_ask():
    with pytest.raises(UserError, match="nothing to rate: the best answer is the label of all 3 images"):
        find_disagreements(predictions(answers=(0, 1, 2)), LABELS, NAMES, None, 0)
    for sample in (0, -1):
        with pytest.raises(UserError, match=f"a sample of {sample} disagreements: expected 1 or more"):
            find_disagreements(predictions(), LABELS, NAMES, sample, 0)


def test_the_fingerprint_is_that_of_the_data_set():
    def of(labels, names):
        table = predictions(labels, labels.values(), [0] * 3)
        return find_disagreements(table, labels, names, None, 0).fingerprint

    assert of(LABELS, NAMES) == of(dict(reversed(LABELS.items())), NAMES)
    assert len({of(LABELS, NAMES), of(LABELS, ["x", "y", "w"]), of({"a": 0, "b": 1, "d": 2}, NAMES)}) == 3


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (predictions(ids=("a", "b", "q")), r"1 of them unknown to the data set \['q'\], 1 images have none \['c'\]"),
        (predictions(ids=("a", "b", "b")), r"1 images have none \['c'\]"),
        (predictions(labels=(0, 2, 2)), r"b has the labels \[2\] .* expected the label 1"),
        (predictions(answers=(0, 3, 0)), "best answer 3; .* an answer below 3"),
        (predictions().slice(0, 0), "0 predictions for 3 images"),
    ],
)
def test_predictions_of_another_data_set(table, message):
    with pytest.raises(UserError, match=message):
        find_disagreements(table, LABELS, NAMES, None, 0)
