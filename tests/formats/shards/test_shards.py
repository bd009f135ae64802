"""Shards: what is written comes back, others can read it, and damage is named."""

import json
import multiprocessing
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.formats.shards import ShardError, ShardIndex, ShardReader, ShardWriter
from igdet.formats.vocabulary import Vocabulary

VOCABULARY = Vocabulary([("bear", "brownbear"), ("owl",), ("river", "stream")])
POSTS = [
    ("p0", b"first picture", ["#brownbear", "#river", "#love"]),
    ("p1", b"x" * 512, ["owl"]),  # fills its tar block exactly
    ("p2", b"y" * 513, ["stream", "River", "Owl"]),
]


def write(folder, posts=POSTS, shard_size=2):
    with ShardWriter(folder, VOCABULARY, shard_size) as writer:
        for post in posts:
            writer.add(*post)
    return folder


def test_columns_and_images_come_back(tmp_path):
    index = ShardIndex.open(write(tmp_path))
    assert index.shard_names == ["posts-000000.tar", "posts-000001.tar"]
    assert [index.shard_of(i) for i in range(3)] == [0, 0, 1]
    np.testing.assert_array_equal(index.sizes, [13, 512, 513])
    assert index.offsets[0] == 512  # behind one header
    np.testing.assert_array_equal(index.label_offsets, [0, 2, 3, 5])
    np.testing.assert_array_equal(index.label_ids, [0, 2, 1, 1, 2])
    assert index.label_offsets.dtype == np.int64 and index.label_ids.dtype == np.int32
    assert index.keys.to_pylist() == ["p0", "p1", "p2"] and len(index) == 3
    reader = ShardReader(index)
    assert [reader.read(i) for i in (2, 0, 1)] == [POSTS[i][1] for i in (2, 0, 1)]


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_only_so_many_shards_stay_open(tmp_path, monkeypatch):
    monkeypatch.setattr("igdet.formats.shards.reader.OPEN_SHARDS", 2)
    many = [(f"p{i}", str(i).encode(), ["owl"]) for i in range(5)]
    reader = ShardReader(ShardIndex.open(write(tmp_path, many, shard_size=1)))
    before = open_files()
    assert [reader.read(i) for i in (0, 1, 2, 3, 4, 0, 1)] == [many[i][1] for i in (0, 1, 2, 3, 4, 0, 1)]
    assert open_files() == before + 2


def test_a_shard_elsewhere_is_refused(tmp_path):
    folder = write(tmp_path / "shards")
    table = pq.read_table(folder / "index.parquet")
    names = pa.array(["../posts-000000.tar"] * len(table)).dictionary_encode()
    field = table.schema.field("shard")
    pq.write_table(table.set_column(0, field, names.cast(field.type)), folder / "index.parquet")
    with pytest.raises(ShardError, match=r"names the shard '../posts-000000\.tar', which is not a file beside it"):
        ShardIndex.open(folder)


def test_shards_are_plain_webdataset_tars(tmp_path):
    with tarfile.open(write(tmp_path) / "posts-000000.tar") as tar:
        assert tar.getnames() == ["p0.jpg", "p0.json", "p1.jpg", "p1.json"]
        assert tar.extractfile("p1.jpg").read() == POSTS[1][1]
        assert json.load(tar.extractfile("p0.json")) == {"hashtags": ["bear", "river"]}


def test_same_posts_give_the_same_bytes(tmp_path):
    once, twice = (write(tmp_path / name) for name in ("a", "b"))
    names = sorted(path.name for path in once.iterdir())
    assert names == ["index.parquet", "posts-000000.tar", "posts-000001.tar", "summary.json", "vocabulary.txt"]
    assert all((once / name).read_bytes() == (twice / name).read_bytes() for name in names)


def test_no_posts_make_an_empty_index(tmp_path):
    index = ShardIndex.open(write(tmp_path, posts=[]))
    assert len(index) == 0 and index.shard_names == []
    np.testing.assert_array_equal(index.label_offsets, [0])


def test_an_error_while_writing_leaves_whole_shards_and_no_index(tmp_path):
    with pytest.raises(RuntimeError, match="stop"), ShardWriter(tmp_path, VOCABULARY, 2) as writer:
        for post in POSTS:
            writer.add(*post)
        raise RuntimeError("stop")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["posts-000000.tar", "vocabulary.txt"]
    with pytest.raises(ShardError, match="its writing did not end"):
        ShardIndex.open(tmp_path)
    with pytest.raises(ShardError, match="holds shards already"):
        ShardWriter(tmp_path, VOCABULARY)


@pytest.mark.parametrize(
    ("key", "tags", "message"),
    [("a.b", ["owl"], "a key is"), ("", ["owl"], "a key is"), ("p9", ["love"], "leave it out"), ("p9", [], "leave")],
)
def test_posts_that_do_not_fit_are_refused(tmp_path, key, tags, message):
    with pytest.raises(ShardError, match=message), ShardWriter(tmp_path, VOCABULARY) as writer:
        writer.add(key, b"", tags)


def test_a_shard_cut_short_is_named_and_the_rest_stays_readable(tmp_path, caplog):
    shard = write(tmp_path) / "posts-000000.tar"
    shard.write_bytes(shard.read_bytes()[:-2148])  # 1024 end of tar, 1024 p1.json, 100 of p1.jpg
    index = ShardIndex.open(tmp_path)
    assert "posts-000000.tar is cut short: 1 of its posts" in caplog.text
    reader = ShardReader(index)
    assert reader.read(0) == POSTS[0][1]
    with pytest.raises(ShardError, match=r"posts-000000.tar is cut short: post 1 has \d+ of 512 bytes"):
        reader.read(1)


def test_a_missing_shard_is_named_until_it_is_there(tmp_path):
    last = write(tmp_path) / "posts-000001.tar"
    away = last.rename(tmp_path / "elsewhere")
    with pytest.raises(ShardError, match=r"posts-000001.tar is missing, one of 1 of the 2 shards .* --resume"):
        ShardIndex.open(tmp_path)
    away.rename(last)
    assert len(ShardIndex.open(tmp_path)) == 3


def test_shards_that_the_index_does_not_list_are_named(tmp_path, caplog):
    first = write(tmp_path) / "posts-000000.tar"
    for number in (2, 3):
        (tmp_path / f"posts-00000{number}.tar").write_bytes(first.read_bytes())
    assert len(ShardIndex.open(tmp_path)) == 3
    assert "posts-000002.tar and 1 more shards beside it are not in index.parquet" in caplog.text


def test_an_index_of_other_shards_is_found_out_when_a_post_is_read(tmp_path):
    others = [POSTS[0], ("q1", b"z" * 512, ["owl"])]
    (write(tmp_path / "other", others) / "posts-000000.tar").replace(write(tmp_path / "posts") / "posts-000000.tar")
    reader = ShardReader(ShardIndex.open(tmp_path / "posts"))
    assert reader.read(0) == POSTS[0][1]
    with pytest.raises(ShardError, match=r"holds \('q1.jpg', 512\) at byte \d+, where .* expects \('p1.jpg', 512\)"):
        reader.read(1)


def test_another_vocabulary_is_refused(tmp_path):
    (write(tmp_path) / "vocabulary.txt").write_text("owl\nbear\nriver\n")
    with pytest.raises(ShardError, match="not the vocabulary"):
        ShardIndex.open(tmp_path)
    (tmp_path / "vocabulary.txt").unlink()
    with pytest.raises(ShardError, match=r"vocabulary.txt is missing"):
        ShardIndex.open(tmp_path)


def test_foreign_and_broken_indexes_are_refused(tmp_path):
    path = write(tmp_path) / "index.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["size"]), path)
    with pytest.raises(ShardError, match=r"lacks the columns \['size'\]"):
        ShardIndex.open(tmp_path)
    pq.write_table(pa.table({"shard": ["a"]}), path)
    with pytest.raises(ShardError, match="version none"):
        ShardIndex.open(tmp_path)
    path.write_bytes(b"PAR1 no")
    with pytest.raises(ShardError, match="cannot be read as Parquet"):
        ShardIndex.open(tmp_path)


def _sizes(reader):
    return [len(reader.read(i)) for i in range(3)]


@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_a_reader_in_use_goes_to_other_processes(tmp_path, method):
    reader = ShardReader(ShardIndex.open(write(tmp_path)))
    reader.read(0)  # holds an open shard
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_sizes, [reader] * 2) == [[13, 512, 513]] * 2
    reader.close()
    assert reader.read(1) == POSTS[1][1]
