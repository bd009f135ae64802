"""Slices of input: what is finished is kept, what is not is made again."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.curation.slices import PLAN_NAME, carry_parts, files_by_part, make_parts, part_folders, remove_parts, slices
from igdet.utils.errors import UserError

WANTED = [["a", "b"], ["c"], ["d"]]


class Maker:
    """Writes the names of a slice's inputs as a table; breaks at an input after half of it, when asked to."""

    def __init__(self, breaks_at=None):
        self.breaks_at, self.made = breaks_at, []

    def __call__(self, inputs, folder):
        pq.write_table(pa.table({"input": list(inputs)}), folder / "x.parquet")
        if self.breaks_at in inputs:
            raise OSError("the disk is full")
        self.made += inputs


def read(files):
    return [name for file in files for name in pq.read_table(file)["input"].to_pylist()]


@pytest.mark.parametrize(
    ("sizes", "slice_bytes", "expected"),
    [
        ({"a": 5, "b": 5, "c": 5}, 10, [["a", "b"], ["c"]]),
        ({"a": 5, "b": 6, "c": 5}, 10, [["a", "b"], ["c"]]),
        ({"a": 99, "b": 1}, 10, [["a"], ["b"]]),
        ({"a": 0, "b": 1}, 10, [["a"], ["b"]]),  # unknown: taken for large
        ({"a": 0, "b": 1}, 2**30, [["a", "b"]]),
        ({}, 10, []),
    ],
)
def test_cutting(sizes, slice_bytes, expected):
    assert slices(sizes, slice_bytes) == expected


def test_parts_are_made_in_order_and_kept(tmp_path):
    maker = Maker()
    parts = make_parts(tmp_path / "parts", "f", WANTED, maker, "test")
    files, step = parts.files, parts.step
    assert read(files) == ["a", "b", "c", "d"]
    assert files_by_part(tmp_path / "parts") == [[str(file)] for file in files]
    assert (step.items, step.rows, step.bytes) == (3, 4, sum(file.stat().st_size for file in files))
    again = make_parts(tmp_path / "parts", "f", WANTED, maker, "test")
    assert (again.files, again.step.items) == (files, 0)
    assert maker.made == ["a", "b", "c", "d"]


def test_a_broken_run_goes_on_where_it_was_with_its_own_slices(tmp_path):
    with pytest.raises(OSError, match="the disk is full"):
        make_parts(tmp_path, "f", WANTED, Maker(breaks_at="c"), "test")
    assert files_by_part(tmp_path) == [[str(tmp_path / "part-00000/x.parquet")]]
    maker = Maker()
    assert read(make_parts(tmp_path, "f", [["a"], ["b", "c", "d"]], maker, "test").files) == ["a", "b", "c", "d"]
    assert maker.made == ["c", "d"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["part-00000", "part-00001", "part-00002", PLAN_NAME]


def test_parts_of_something_else_are_removed(tmp_path):
    make_parts(tmp_path, "f", WANTED, Maker(), "test")
    maker = Maker()
    assert read(make_parts(tmp_path, "g", [["e"]], maker, "test").files) == maker.made == ["e"]


def test_a_removal_that_is_killed_leaves_nothing_that_counts(tmp_path, monkeypatch):
    make_parts(tmp_path, "f", WANTED, Maker(), "test")
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda folder: (folder / "part-00001/x.parquet").unlink())
        remove_parts(tmp_path)
    assert read(make_parts(tmp_path, "f", WANTED, Maker(), "test").files) == ["a", "b", "c", "d"]


def test_parts_whose_plan_is_broken_are_made_anew(tmp_path):
    make_parts(tmp_path, "f", WANTED, Maker(), "test")
    (tmp_path / PLAN_NAME).write_text('{"fingerprint": "f", "sli')
    maker = Maker()
    make_parts(tmp_path, "f", WANTED, maker, "test")
    assert maker.made == ["a", "b", "c", "d"]


def test_parts_of_an_earlier_curation_stand_for_the_first_slices(tmp_path):
    make_parts(tmp_path / "earlier", "e", WANTED[:2], Maker(), "test")
    before = content(tmp_path / "earlier")
    maker = Maker(breaks_at="d")
    for _ in range(2):
        with pytest.raises(OSError, match="the disk is full"):
            make_parts(tmp_path / "parts", "f", WANTED, maker, "test", part_folders(tmp_path / "earlier"))
    maker.breaks_at = None
    assert read(
        make_parts(tmp_path / "parts", "f", WANTED, maker, "test", part_folders(tmp_path / "earlier")).files
    ) == list("abcd")
    assert maker.made == ["d"]
    shutil.rmtree(tmp_path / "parts/part-00000")  # is linked again, not made
    assert read(
        make_parts(tmp_path / "parts", "f", WANTED, maker, "test", part_folders(tmp_path / "earlier")).files
    ) == [*"abcd"]
    assert maker.made == ["d"]
    remove_parts(tmp_path / "parts")
    assert content(tmp_path / "earlier") == before
    carry_parts(tmp_path / "earlier", tmp_path / "all", "g")
    assert read(make_parts(tmp_path / "all", "g", [], maker, "test").files) == list("abc")
    (tmp_path / "earlier" / PLAN_NAME).unlink()
    with pytest.raises(
        UserError, match=r"earlier has 2 parts, but plan.json in it speaks of 0: run the curation there"
    ):
        carry_parts(tmp_path / "earlier", tmp_path / "others", "h")


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_to_do(tmp_path):
    assert make_parts(tmp_path / "parts", "f", [], Maker(), "test").files == []
    assert json.loads((tmp_path / "parts" / PLAN_NAME).read_text())["slices"] == []
    remove_parts(tmp_path / "none")
