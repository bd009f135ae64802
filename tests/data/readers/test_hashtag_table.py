"""Tests of loose images with a table of hashtags."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from igdet.data.bad_records import BadRecordLog
from igdet.data.readers.hashtag_table import read_hashtag_table
from igdet.formats.errors import DatasetError, RecordError
from igdet.formats.vocabulary import Vocabulary

VOCABULARY = Vocabulary([("cat", "kitten"), ("dog",), ("brown_bear", "bear")])
POSTS = [
    ("a.jpg", ["#Kitten", "cat", "unknown", "DOG"]),
    ("b.jpg", ["unknown"]),
    ("c/d.jpg", ["brown-bear"]),
    ("e.jpg", []),
    ("f.jpg", ["bear", "cat"]),
]


def write_table(path, rows, columns=("image", "hashtags")):
    """Write rows of (path, list of tags); a CSV holds the tags as one string."""
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([columns, *((image, " ".join(tags)) for image, tags in rows)])
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows))
    else:
        images, tags = zip(*rows, strict=True)
        table = pa.table({columns[0]: list(images), columns[1]: pa.array(list(tags), pa.list_(pa.string()))})
        pa.parquet.write_table(table, path)
    return str(path)


def read(table, root="/nowhere", columns=("image", "hashtags")):
    log = BadRecordLog(Path(table).parent, "posts", 0.25)
    return read_hashtag_table(table, str(root), VOCABULARY, *columns, log)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_posts_with_known_hashtags_are_kept_as_sparse_ids(tmp_path, suffix):
    records = read(write_table(tmp_path / f"posts{suffix}", POSTS))
    assert len(records) == 3
    assert [records.image_id(i) for i in range(3)] == ["a.jpg", "c/d.jpg", "f.jpg"]
    assert records.label_offsets.tolist() == [0, 2, 3, 5]
    assert records.label_ids.tolist() == [0, 1, 2, 0, 2]
    assert (records.label_offsets.dtype, records.label_ids.dtype) == (np.int64, np.int32)
    assert records[1]["gt_classes"].tolist() == [2]
    assert records[1]["file_name"] == "/nowhere/c/d.jpg"
    assert records.note == (
        "2 of 5 posts left out: no hashtag of the vocabulary. 5 of 6 distinct hashtags known: 6 of 8 uses."
    )


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_posts_without_hashtags_are_named_up_to_a_share(tmp_path, suffix):
    table = write_table(tmp_path / f"posts{suffix}", [("a.jpg", ["cat"])] * 90 + [("b.jpg", [])] * 22)
    assert len(read(table)) == 90
    lines = (tmp_path / "bad_records.jsonl").read_text().splitlines()
    assert len(lines) == 22
    assert json.loads(lines[0])["name"] == f"{table}: row 91"
    with pytest.raises(DatasetError, match=r"99 of 100 records are bad.*row 100: nothing in column 'hashtags'"):
        read(write_table(tmp_path / f"empty{suffix}", [("a.jpg", ["cat"])] + [("b.jpg", [])] * 99))


@pytest.mark.parametrize("tags", ["cat dog", "#cat,#dog", "#cat#dog", " cat ,\tdog\n", "cat\u3000＃dog"])
def test_hashtags_in_one_string(tmp_path, tags):
    table = tmp_path / "posts.parquet"
    pa.parquet.write_table(pa.table({"image": ["a.jpg"], "hashtags": [tags]}), table)
    assert read(str(table)).label_ids.tolist() == [0, 1]


def test_nulls_and_other_columns_do_no_harm(tmp_path):
    table = tmp_path / "posts.parquet"
    tags = pa.array([None, ["cat", None]], pa.list_(pa.string()))
    pa.parquet.write_table(pa.table({"likes": [1, 2], "tags": tags, "file": ["a.jpg", "b.jpg"]}), table)
    records = read(str(table), columns=("file", "tags"))
    assert [records[i]["image_id"] for i in range(len(records))] == ["b.jpg"]


def test_a_csv_field_with_a_line_end(tmp_path):
    (tmp_path / "posts.csv").write_text('image,caption,hashtags\na.jpg,"two\nlines","cat,dog"\n')
    assert read(str(tmp_path / "posts.csv")).label_ids.tolist() == [0, 1]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_missing_column_is_named_with_those_that_exist(tmp_path, suffix):
    table = write_table(tmp_path / f"posts{suffix}", POSTS, columns=("image", "tags"))
    with pytest.raises(DatasetError, match=r"has no column 'hashtags'; its columns are image, tags"):
        read(table)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_broken_table_is_named(tmp_path, suffix):
    table = tmp_path / f"posts{suffix}"
    table.write_bytes(b'image,hashtags\n"a.jpg' if suffix == ".csv" else b'{"image": 1, hash')
    with pytest.raises(DatasetError, match="posts"):
        read(str(table))


def test_an_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"tables are \.parquet, \.csv, \.jsonl, not \.xlsx"):
        read(str(tmp_path / "posts.xlsx"))


def test_a_row_without_a_path_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="row 2 has nothing in column 'image'"):
        read(write_table(tmp_path / "posts.parquet", [("a.jpg", ["cat"]), (None, ["dog"])]))


def test_tags_that_are_numbers_are_refused(tmp_path):
    pa.parquet.write_table(pa.table({"image": ["a.jpg"], "hashtags": [3]}), tmp_path / "posts.parquet")
    with pytest.raises(DatasetError, match="column 'hashtags' holds int64; expected strings or lists of strings"):
        read(str(tmp_path / "posts.parquet"))


def test_a_table_without_any_known_hashtag_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="none of its 1 posts has a hashtag of the vocabulary"):
        read(write_table(tmp_path / "posts.csv", [("a.jpg", ["unknown"])]))


def test_only_files_under_the_root_are_read(tmp_path):
    root = tmp_path / "root"
    (root / "inside").mkdir(parents=True)
    (root / "inside/a.jpg").write_bytes(b"inside")
    (tmp_path / "secret").write_bytes(b"secret")
    (root / "link.jpg").symlink_to(tmp_path / "secret")
    (root / "inner_link.jpg").symlink_to(root / "inside/a.jpg")
    (root / "folder_link").symlink_to(tmp_path)
    (root / "inner_folder_link").symlink_to(root / "inside")
    good = ["inside/a.jpg", "inside/../inside/a.jpg", "inner_link.jpg", "inner_folder_link/a.jpg"]
    bad = ["../secret", "link.jpg", str(tmp_path / "secret"), "inside/../../secret", "folder_link/secret"]
    records = read(write_table(tmp_path / "posts.parquet", [(path, ["cat"]) for path in good + bad]), root)
    assert [records.read(i) for i in range(4)] == [b"inside"] * 4
    for i in range(4, 9):
        with pytest.raises(RecordError, match="leads out of"):
            records.read(i)


def test_a_file_that_is_missing_or_a_folder_is_a_bad_record(tmp_path):
    (tmp_path / "folder.jpg").mkdir()
    paths = ["no.jpg", "folder.jpg", "a\0b.jpg"]
    records = read(write_table(tmp_path / "posts.parquet", [(path, ["cat"]) for path in paths]), tmp_path)
    with pytest.raises(RecordError, match=r"no\.jpg: does not exist under"):
        records.read(0)
    with pytest.raises(RecordError, match=r"folder\.jpg: cannot be read"):
        records.read(1)
    with pytest.raises(RecordError, match=r"cannot be read .*null"):
        records.read(2)


def test_records_outside_the_sequence(tmp_path):
    records = read(write_table(tmp_path / "posts.parquet", POSTS))
    with pytest.raises(IndexError):
        records[3]
    assert len(list(records)) == 3


@pytest.mark.parametrize("column", ["image", "hashtags"])
def test_structures_are_refused_by_column_and_type(tmp_path, column):
    columns = {"image": ["a.jpg"], "hashtags": [["cat"]]}
    columns[column] = [{"bytes": b"x", "path": "a.jpg"}]
    pa.parquet.write_table(pa.table(columns), tmp_path / "posts.parquet")
    message = rf"column '{column}' holds struct<bytes: binary, path: string>; expected .* as in {column}\.path"
    with pytest.raises(DatasetError, match=message):
        read(str(tmp_path / "posts.parquet"))


def test_fields_of_structures_and_objects_that_name_hashtags(tmp_path):
    columns = {"image": [{"bytes": b"x", "path": "a.jpg"}], "hashtags": [[{"name": "cat"}, {"name": "dog"}]]}
    pa.parquet.write_table(pa.table(columns), tmp_path / "posts.parquet")
    records = read(str(tmp_path / "posts.parquet"), columns=("image.path", "hashtags"))
    assert (records.image_id(0), records.label_ids.tolist()) == ("a.jpg", [0, 1])


def test_wrong_rows_of_a_csv_are_bad_records(tmp_path):
    table = tmp_path / "posts.csv"
    table.write_text('image,hashtags\na.jpg,cat\nb.jpg,cat,dog\nc.jpg,"dog\nd.jpg,bear\n')
    records = read(str(table))
    assert [records.image_id(i) for i in range(len(records))] == ["a.jpg", "d.jpg"]
    bad = [json.loads(line) for line in (tmp_path / "bad_records.jsonl").read_text().splitlines()]
    assert [record["name"] for record in bad] == [f"{table}: row 2", f"{table}: row 3"]
    assert bad[0]["why"] == "it has 3 cells, the header has 2"
