"""Which training images near-duplicates cost."""

from itertools import pairwise

import pyarrow as pa
import pytest

from igdet.curation.duplicates.exclusion import excluded_against, excluded_within


def pairs(*rows):
    queries, matches = zip(*rows, strict=True) if rows else ((), ())
    return pa.table({"query": pa.array(queries, pa.string()), "match": pa.array(matches, pa.string())})


def test_every_training_image_like_an_evaluation_image_goes():
    assert excluded_against(pairs(("e1", "t2"), ("e2", "t2"), ("e1", "t1"))) == ["t1", "t2"]


@pytest.mark.parametrize(
    ("rows", "excluded"),
    [
        ([], []),
        ([("b", "a")], ["b"]),
        ([("b", "c"), ("c", "d"), ("d", "a")], ["b", "c", "d"]),  # a chain is one group
        ([("a", "b"), ("c", "d")], ["b", "d"]),
        ([("c", "d"), ("a", "b"), ("d", "b")], ["b", "c", "d"]),  # two groups that turn out to be one
        ([("a", "b"), ("b", "a"), ("a", "a")], ["b"]),
    ],
)
def test_of_a_group_the_first_name_stays(rows, excluded):
    assert excluded_within(pairs(*rows)) == excluded
    assert excluded_within(pairs(*reversed(rows))) == excluded


def test_a_long_chain_needs_no_deep_recursion():
    names = [f"{i:05}" for i in range(5000)]
    assert excluded_within(pairs(*pairwise(names))) == names[1:]
