"""The index as mapped arrays: what it holds, when it is made, and what is refused."""

import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.formats.shards import ShardError, ShardIndex, read_summary, write_summary
from igdet.formats.shards.format import INDEX_SCHEMA, index_schema
from igdet.formats.vocabulary import Vocabulary
from igdet.utils.cache import cache_folder

VOCABULARY = Vocabulary([("bear",), ("owl",), ("river",)])
ROWS = [
    {"shard": "a.tar", "offset": 512, "size": 10, "key": "é", "labels": [0, 2]},
    {"shard": "a.tar", "offset": 2048, "size": 20, "key": "", "labels": [1]},
    {"shard": "b.tar", "offset": 512, "size": 30, "key": "k2", "labels": [0, 1, 2]},
    {"shard": "b.tar", "offset": 2048, "size": 0, "key": "k3", "labels": [2]},
]


def write_index(folder, rows=ROWS, **options):
    VOCABULARY.write(folder / "vocabulary.txt")
    for name in ("a.tar", "b.tar"):
        (folder / name).write_bytes(bytes(4096))
    table = pa.Table.from_pylist(rows, schema=index_schema(folder / "vocabulary.txt"))
    pq.write_table(table, folder / "index.parquet", **options)
    return folder


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
@pytest.mark.parametrize("row_group", [1, 3, 100])
def test_columns_come_back_whatever_the_batches(tmp_path, monkeypatch, batch, row_group):
    monkeypatch.setattr("igdet.formats.shards.format._BATCH", batch)
    index = ShardIndex.open(write_index(tmp_path, row_group_size=row_group))
    assert index.keys.to_pylist() == ["é", "", "k2", "k3"]
    assert index.offsets.tolist() == [512, 2048, 512, 2048]
    assert index.sizes.tolist() == [10, 20, 30, 0]
    assert index.label_offsets.tolist() == [0, 2, 3, 6, 7]
    assert index.label_ids.tolist() == [0, 2, 1, 0, 1, 2, 2]
    assert [index.shard_names[index.shard_of(i)] for i in range(4)] == ["a.tar", "a.tar", "b.tar", "b.tar"]


def test_columns_are_kept_until_the_index_changes(tmp_path):
    first = ShardIndex.open(write_index(tmp_path)).columns_folder
    made = (first / "offsets.bin").stat().st_ino
    assert cache_folder() in first.parents
    assert (ShardIndex.open(tmp_path).columns_folder / "offsets.bin").stat().st_ino == made
    index = ShardIndex.open(write_index(tmp_path, ROWS[:3]))
    assert len(index) == 3 and index.columns_folder == first  # in the place of the old ones


def test_an_index_goes_to_another_process_as_two_paths(tmp_path):
    index = ShardIndex.open(write_index(tmp_path))
    data = pickle.dumps(index)
    assert len(data) < 1000
    again = pickle.loads(data)
    assert again.label_ids.tolist() == index.label_ids.tolist() and again.keys[2].as_py() == "k2"
    assert not again.label_ids.flags.writeable


def as_version_1(index):
    """Rewrite an index as the first version had it, whose column of label ids was called hashtags."""
    table = pq.read_table(index)
    old = table.rename_columns(["hashtags" if name == "labels" else name for name in table.column_names])
    metadata = {**table.schema.metadata, b"igdet.shard_format_version": b"1"}
    pq.write_table(old.replace_schema_metadata(metadata), index)


def test_the_first_version_is_read(tmp_path):
    as_version_1(write_index(tmp_path) / "index.parquet")
    index = ShardIndex.open(tmp_path)
    assert index.label_ids.tolist() == [0, 2, 1, 0, 1, 2, 2]
    write_summary(tmp_path)
    summary = read_summary(tmp_path)
    assert (summary.posts, summary.rarest) == ([2, 2, 3], [3, 0, 1])  # labels of one frequency count as one


def test_the_first_version_without_its_column_is_named(tmp_path):
    as_version_1(write_index(tmp_path) / "index.parquet")
    table = pq.read_table(tmp_path / "index.parquet").drop_columns("hashtags")
    pq.write_table(table, tmp_path / "index.parquet")
    with pytest.raises(ShardError, match=r"index\.parquet lacks the columns \['hashtags'\]"):
        ShardIndex.open(tmp_path)


def change(row, **columns):
    return [{**post, **columns} if i == row else post for i, post in enumerate(ROWS)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (change(2, labels=[0, 3]), "row 3, key k2, has the label id 3, but vocabulary.txt has the ids 0 to 2"),
        (change(1, labels=[-1]), "row 2, key , has the label id -1, but"),
        (change(3, labels=[]), "row 4, key k3, has no label"),
        (change(3, labels=None), "row 4, key k3, has no labels"),
        (change(2, key=None), "row 3, key None, has no key"),
        (change(0, labels=[2, 0]), "row 1, key é, has label ids that are not distinct and ascending"),
        (change(2, labels=[1, 1]), "row 3, key k2, has label ids that are not distinct and ascending"),
        (change(1, offset=100), "row 2, key , has an image where no tar can hold one"),
        (change(1, size=2**32), "row 2, key , has an image where no tar can hold one"),
        (change(3, shard="a.tar"), "row 4, key k3, is in the shard a.tar again: the posts of a shard stand together"),
    ],
)
@pytest.mark.parametrize("batch", [1, 100])
def test_a_row_that_cannot_be_is_named(tmp_path, monkeypatch, rows, message, batch):
    monkeypatch.setattr("igdet.formats.shards.format._BATCH", batch)
    with pytest.raises(ShardError, match=f"index.parquet: {message}.*; write the shards again"):
        ShardIndex.open(write_index(tmp_path, rows))
    assert len(ShardIndex.open(write_index(tmp_path))) == 4  # and nothing is left of it


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("size", ["10"] * 4, "the column 'size' holds string, expected int64"),
        ("offset", [0.5] * 4, "the column 'offset' holds double, expected int64"),
        ("labels", [["0"]] * 4, "the column 'labels' holds list<.*string>, expected list<.*int32>"),
        ("labels", [0] * 4, "the column 'labels' holds int64, expected list<.*>"),
        ("shard", [1] * 4, "the column 'shard' holds int64, expected dictionary<.*>"),
        ("key", [{"a": 1}] * 4, "the column 'key' holds struct<a: int64>, expected string"),
        ("shard", ["a\0.tar"] * 4, r"names the shard 'a\\x00.tar', which is not a file beside it"),
        ("shard", [""] * 4, "names the shard '', which is not a file beside it"),
    ],
)
def test_a_column_of_another_type_is_named(tmp_path, column, values, message):
    table = pq.read_table(write_index(tmp_path) / "index.parquet")
    table = table.set_column(table.column_names.index(column), column, pa.array(values))
    pq.write_table(table, tmp_path / "index.parquet")
    with pytest.raises(ShardError, match=f"index.parquet:? {message}; write the shards again"):
        ShardIndex.open(tmp_path)


def test_a_column_that_is_there_twice_is_named(tmp_path):
    table = pq.read_table(write_index(tmp_path) / "index.parquet")
    pq.write_table(table.append_column("size", table["size"]), tmp_path / "index.parquet")
    with pytest.raises(ShardError, match=r"index\.parquet has the column 'size' twice"):
        ShardIndex.open(tmp_path)


def test_a_damaged_page_is_named(tmp_path):
    rng = np.random.default_rng(0)
    rows = [{**ROWS[0], "offset": 1024 * i + 512, "key": rng.bytes(12).hex()} for i in range(3000)]
    path = write_index(tmp_path, rows) / "index.parquet"
    data = bytearray(path.read_bytes())
    data[10_000:40_000] = bytes(30_000)
    path.write_bytes(data)
    with pytest.raises(ShardError, match=r"index\.parquet cannot be read as Parquet"):
        ShardIndex.open(tmp_path)


def test_the_schema_of_the_test_is_the_formats():
    assert set(ROWS[0]) == set(INDEX_SCHEMA.names)
