"""The table of sets below a folder: counted by hand, broken and unfinished ones beside the sound."""

import json
import os
from datetime import datetime, timezone

import pytest

from igdet.curation.sets import BROKEN, HEADER, UNFINISHED, find_sets, look_into, table_of_sets
from igdet.formats.shards import SetName, ShardWriter
from igdet.formats.vocabulary import Vocabulary
from igdet.utils.errors import UserError

DATE = datetime(2026, 5, 4, 12, tzinfo=timezone.utc)


def write_set(folder, name):
    """Write three posts with four labels of three."""
    with ShardWriter(folder, Vocabulary([("cat",), ("dog",), ("owl",)]), 2, name) as writer:
        for key, tags in {"a": ["cat", "dog"], "b": ["cat"], "c": ["dog"]}.items():
            writer.add(key, b"image", tags)
    os.utime(folder / "summary.json", (DATE.timestamp(),) * 2)
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_set(tmp_path / "posts", SetName("val", "zoo"))


def rows(*folders):
    return [[entry.text for entry in row] for row in table_of_sets(folders).rows]


def test_a_row_a_set(folder, tmp_path):
    write_set(tmp_path / "b|c", SetName())
    expected = [
        ["train-own-3-3", "3", "3", "1.33", f"{tmp_path}/b\\|c", "2026-05-04"],
        ["val-zoo-3-3", "3", "3", "1.33", str(folder), "2026-05-04"],
    ]
    assert rows(tmp_path) == expected
    assert rows(folder) == expected[1:]
    assert rows(folder, tmp_path / "b|c") == expected[::-1]
    header, line, *body = table_of_sets([tmp_path]).markdown().splitlines()
    assert [cell.strip() for cell in header.strip("|").split("|")] == HEADER
    assert len(body) == 2 and line.startswith("|--")


def test_a_set_from_before_there_were_names_has_one(folder):
    summary = folder / "summary.json"
    content = json.loads(summary.read_text())
    del content["name"]
    summary.write_text(json.dumps(content))
    assert rows(folder)[0][0] == "train-own-3-3"


def test_a_set_that_is_only_streamed_needs_no_index(folder):
    (folder / "index.parquet").unlink()
    assert rows(folder)[0][0] == "val-zoo-3-3"


def cut_shard(folder):
    (folder / "posts-000000.tar").write_bytes(b"")


def other_index(folder):
    other = write_set(folder.parent / "elsewhere/other", SetName())
    with ShardWriter(other / "more", Vocabulary([("cat",)])) as writer:
        writer.add("a", b"image", ["cat"])
    (other / "more/index.parquet").replace(folder / "index.parquet")


@pytest.mark.parametrize(
    ("damage", "state", "why"),
    [
        (cut_shard, BROKEN, "posts-000000.tar has 0 bytes"),
        (other_index, BROKEN, "index.parquet lists 1 posts, summary.json 3"),
        (lambda folder: (folder / "index.parquet").write_bytes(b"no"), BROKEN, "index.parquet cannot be read"),
        (lambda folder: (folder / "summary.json").write_text("{"), BROKEN, "summary.json cannot be read"),
        (lambda folder: (folder / "summary.json").unlink(), BROKEN, "summary.json is missing"),
        (lambda folder: (folder / "vocabulary.txt").unlink(), BROKEN, "vocabulary.txt is missing"),
        (
            lambda folder: [(folder / name).unlink() for name in ("index.parquet", "summary.json")],
            UNFINISHED,
            "are missing",
        ),
    ],
)
def test_a_broken_set_is_shown_with_what_is_wrong(folder, damage, state, why):
    damage(folder)
    table = table_of_sets([folder])
    assert [entry.text for entry in table.rows[0]] == [state, "–", "–", "–", str(folder), "–"]
    assert table.note.startswith(f"- {folder} is {state}: ") and why in table.note


def test_a_curation_that_was_stopped_is_unfinished_whatever_an_earlier_one_left(folder):
    (folder / "records").mkdir()
    assert look_into(folder).state == ""
    (folder / "index.parquet").unlink()
    assert look_into(folder).state == UNFINISHED
    for path in [*folder.glob("*.tar"), folder / "summary.json"]:
        path.unlink()
    assert list(find_sets(folder.parent)) == [folder]  # stopped in its first shard


def test_no_sets_and_no_folder(tmp_path):
    (tmp_path / "vocabulary").mkdir()
    (tmp_path / "vocabulary/vocabulary.txt").write_text("cat\n")
    table = table_of_sets([tmp_path])
    assert (table.rows, table.note) == ([], "No shards there.")
    with pytest.raises(UserError, match="there is no such file; expected a folder with sets of posts"):
        table_of_sets([tmp_path / "nowhere"])
