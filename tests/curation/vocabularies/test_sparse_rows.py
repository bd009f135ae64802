"""Sparse rows against a dense matrix."""

import numpy as np
import pytest

from igdet.curation.vocabularies.candidates import SparseRows, join_ranges


@pytest.fixture
def sparse():
    # [[0, 5, 6], [0, 0, 0], [7, 0, 0]]
    return SparseRows(np.array([2, 0, 0]), np.array([0, 1, 2]), np.array([7.0, 5.0, 6.0]), 3)


def test_one_row(sparse):
    assert [part.tolist() for part in sparse.row(0)] == [[1, 2], [5, 6]]
    assert [part.tolist() for part in sparse.row(1)] == [[], []]


def test_many_rows_with_repeats(sparse):
    places, columns, values = sparse.take(np.array([2, 1, 0, 2]))
    assert places.tolist() == [0, 2, 2, 3]
    assert columns.tolist() == [0, 1, 2, 0]
    assert values.tolist() == [7, 5, 6, 7]


def test_nothing_stored_and_nothing_asked(sparse):
    none = np.array([], dtype=np.int64)
    assert [len(part) for part in SparseRows(none, none, none, 3).take(np.array([0, 2]))] == [0, 0, 0]
    assert [len(part) for part in sparse.take(none)] == [0, 0, 0]


def test_ranges():
    assert join_ranges(np.array([3, 9, 8]), np.array([2, 0, 1])).tolist() == [3, 4, 8]
