"""The lower bound of accuracy."""

import pyarrow as pa
import pytest

from igdet.curation.duplicates.exclusion import bound
from igdet.curation.duplicates.image_sets import DuplicatesError

PREDICTIONS = pa.table(
    {
        "image_id": ["a", "b", "c", "d"],
        "gt_classes": [[1], [2], [3, 4], [5]],
        "top_classes": [[1, 9], [9, 2], [4, 9], [5, 9]],  # right, second only, one of two labels, right
    }
)


def bounded(predictions, duplicated, searched=("a", "b", "c", "d", "x"), skipped=()):
    return bound(predictions, duplicated, searched, "val", skipped)


def test_a_duplicated_image_counts_as_wrong_once():
    result = bounded(PREDICTIONS, ["a", "b", "a"])
    assert (result.accuracy, result.lower, result.duplicated) == (3 / 4, 2 / 4, 2)


def test_a_image_that_was_compared_with_nothing_counts_as_wrong():
    result = bounded(PREDICTIONS, ["a"], skipped=["a", "d", "of the training set"])
    assert (result.lower, result.duplicated, result.uncompared) == (1 / 4, 1, 1)


def test_without_duplicates_the_bound_is_the_accuracy():
    assert bounded(PREDICTIONS, []).lower == bounded(PREDICTIONS, []).accuracy == 3 / 4


def test_images_that_were_not_evaluated_are_named():
    with pytest.raises(DuplicatesError, match=r"1 duplicated images .* 4 predictions, such as \['x'\]"):
        bounded(PREDICTIONS, ["x", "a"])


def test_no_predictions_have_no_accuracy():
    with pytest.raises(DuplicatesError, match="the 0 predictions"):
        bounded(PREDICTIONS.slice(0, 0), [])


def test_images_that_were_not_searched_for_have_no_bound():
    message = "2 of the 4 predicted images, the first is 'b', are none of the 3 in val that were searched for"
    with pytest.raises(DuplicatesError, match=message):
        bounded(PREDICTIONS, [], searched=["d", "a", "e"])
