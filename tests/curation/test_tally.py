"""Counts of a batch travel in its first row."""

import pyarrow as pa

from igdet.curation.slices import counts_type, in_first_row

COUNTS = counts_type(label=pa.string())
TABLE = pa.table({"posts": [3, 1], "label": ["bear", "owl"]})


def test_the_first_row_has_the_counts_and_the_others_are_null():
    rows = in_first_row(TABLE, 3, COUNTS)
    assert rows.type == COUNTS
    assert rows.to_pylist() == [[{"label": "bear", "posts": 3}, {"label": "owl", "posts": 1}], None, None]


def test_no_counts_and_no_rows():
    assert in_first_row(TABLE.slice(0, 0), 2, COUNTS).to_pylist() == [[], None]
    assert in_first_row(TABLE, 0, COUNTS).to_pylist() == []
