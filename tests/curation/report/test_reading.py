"""Reading in pieces: how posts lie in files and row groups does not show."""

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.report import outcome
from igdet.curation.report.outcome import list_lengths, lookup, random_rows

from .conftest import write

LISTS = [["a"], [], None, ["a", "b", "c"], ["d"], ["e", "e"], []]
COUNTS = [3, 2, 1, 1]  # lists with 0, 1, 2, 3 entries; null is an empty one


def write_lists(folder, cuts, rows_per_group):
    posts = pa.table({"id": [str(i) for i in range(len(LISTS))], "tags": pa.array(LISTS, pa.list_(pa.string()))})
    ends = [*cuts, len(LISTS)]
    parts = [posts.slice(start, end - start) for start, end in zip([0, *cuts], ends, strict=True)]
    return [write(folder / f"{i}.parquet", part, row_group_size=rows_per_group) for i, part in enumerate(parts)]


@pytest.mark.parametrize(("cuts", "rows_per_group"), [([], 100), ([], 2), ([3], 100), ([0, 1, 4], 1)])
class TestFilesAndRowGroups:
    def test_list_lengths(self, tmp_path, monkeypatch, cuts, rows_per_group):
        monkeypatch.setattr(outcome, "_BATCH", 2)
        assert list_lengths(write_lists(tmp_path, cuts, rows_per_group), "tags").tolist() == COUNTS

    def test_random_rows(self, tmp_path, cuts, rows_per_group):
        files = write_lists(tmp_path, cuts, rows_per_group)
        whole = write_lists(tmp_path / "whole", [], 100)
        drawn = random_rows(files, ["id", "tags"], 4, seed=3)
        assert drawn == random_rows(whole, ["id", "tags"], 4, seed=3)
        ids = [int(row["id"]) for row in drawn]
        assert ids == sorted(set(ids)) and len(ids) == 4
        assert [row["tags"] for row in drawn] == [LISTS[i] for i in ids]


def test_no_files():
    assert list_lengths([], "tags").tolist() == [0]
    assert random_rows([], ["id"], 3, seed=0) == []


def test_fewer_rows_than_wanted(tmp_path):
    rows = random_rows(write_lists(tmp_path, [3], 2), ["id"], 100, seed=0)
    assert rows == [{"id": str(i)} for i in range(len(LISTS))]


def test_all_rows_are_equally_likely(tmp_path):
    files = write_lists(tmp_path, [5], 2)
    drawn = [int(random_rows(files, ["id"], 1, seed)[0]["id"]) for seed in range(700)]
    # 100 each on average, with a standard deviation of 9.3.
    assert np.bincount(drawn, minlength=len(LISTS)) == pytest.approx(100, abs=40)


def test_lookup():
    table = pa.table({"key": ["a", "b", "a"], "value": ["1", "2", "3"]})
    assert lookup(table, pa.array(["a", "c"]), "key", "value") == {"a": "3"}
    assert lookup(table, pa.array([], pa.string()), "key", "value") == {}
