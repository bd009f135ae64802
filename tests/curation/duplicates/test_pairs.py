"""The list of pairs."""

import numpy as np
import pyarrow as pa
import pytest

from igdet.curation.duplicates.hamming import Hits, join
from igdet.curation.duplicates.image_sets import DuplicatesError
from igdet.curation.duplicates.result import SCHEMA, pair_table, read_pairs, write_pairs

HITS = Hits(np.array([1, 0, 0]), np.array([0, 1, 0]), np.array([0.5, 0.75, 0.5], np.float32))
QUERIES, MATCHES = pa.array(["q0", "q1"]), pa.array(["m0", "m1"])


def test_the_best_pairs_come_first_and_equal_ones_by_name():
    pairs = pair_table(QUERIES, MATCHES, HITS, "pdq")
    assert pairs.schema == SCHEMA
    assert [tuple(pair.values()) for pair in pairs.to_pylist()] == [
        ("q0", "m1", 0.75, "pdq"),
        ("q0", "m0", 0.5, "pdq"),
        ("q1", "m0", 0.5, "pdq"),
    ]


def test_pairs_are_read_as_they_were_written(tmp_path):
    for hits in (HITS, join([])):
        pairs = pair_table(QUERIES, MATCHES, hits, "rmac")
        write_pairs(tmp_path / "pairs.parquet", pairs)
        assert read_pairs(tmp_path / "pairs.parquet") == pairs


def test_what_is_no_list_is_named(tmp_path):
    (tmp_path / "pairs.parquet").write_bytes(b"broken")
    for name in ("pairs.parquet", "missing.parquet"):
        with pytest.raises(DuplicatesError, match=f"{name}: expected a list of pairs"):
            read_pairs(tmp_path / name)
