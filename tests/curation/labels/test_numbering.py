"""Labels of posts to their numbers in the vocabulary."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.curation.labels.numbering import FIELDS, Numberer


@pytest.fixture
def number(animal_labels, tmp_path):
    """Number the labels of posts; dog is 0, crane 2, cat 3."""
    pq.write_table(animal_labels, tmp_path / "labels.parquet")
    numberer = Numberer(tmp_path / "labels.parquet")
    return lambda posts: numberer(pa.array(posts, pa.list_(pa.string())))


def test_numbers_ascend_and_unknown_labels_are_gone(number):
    numbers = number([["n00000004", "walrus", "n00000002"], ["walrus"], [], None, ["n00000005"]])
    assert numbers.type == FIELDS
    assert numbers.field("labels").to_pylist() == [[0, 3], [], [], [], [2]]


def test_no_posts(number):
    assert number([]).to_pylist() == []
