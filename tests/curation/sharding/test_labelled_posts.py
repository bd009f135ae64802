"""The posts that go into shards: labelled, each once, in order."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.curation.sharding import ShardingError
from igdet.curation.sharding.labelled_posts import LabelledPosts

from .conftest import write_posts

MANY = [("a", "1", [0]), ("b", "2", []), ("c", "3", [1, 2]), ("a", "4", [2]), ("d", "5", None)]
MORE = [("e", "6", [0]), ("b", "7", [0]), ("c", "8", [])]


@pytest.fixture
def folder(tmp_path):
    write_posts(tmp_path, MORE, "part-1.parquet")
    write_posts(tmp_path, [], "part-05.parquet")
    write_posts(tmp_path, MANY, "part-0.parquet")
    return tmp_path


def test_labelled_posts_come_once_in_order(folder):
    posts = LabelledPosts(folder, 3)
    assert len(posts) == 4 and posts.unlabelled == 3 and posts.repeated == 1
    tables = list(posts.tables(3))
    assert [table["image"].to_pylist() for table in tables] == [["1", "3", "6"], ["7"]]
    assert tables[0]["labels"].to_pylist() == [[0], [1, 2], [0]]


@pytest.mark.parametrize("size", [1, 2, 4, 9])
def test_any_size_gives_the_same_posts(folder, size):
    tables = list(LabelledPosts(folder, 3).tables(size))
    assert [image for table in tables for image in table["image"].to_pylist()] == ["1", "3", "6", "7"]
    assert all(len(table) == size for table in tables[:-1])


def test_no_labelled_post_gives_no_table(tmp_path):
    write_posts(tmp_path, [("a", "1", [])])
    assert list(LabelledPosts(tmp_path, 3).tables(2)) == []


def test_large_types_are_read_as_well(tmp_path):
    table = pa.table(
        {
            "id": pa.array(["a"], pa.large_string()),
            "image": pa.array(["1"], pa.large_string()),
            "labels": pa.array([[1]], pa.large_list(pa.int64())),
        }
    )
    pq.write_table(table, tmp_path / "part.parquet")
    assert next(LabelledPosts(tmp_path, 3).tables(2)).to_pylist() == [{"id": "a", "image": "1", "labels": [1]}]


def test_a_folder_without_posts(tmp_path):
    with pytest.raises(ShardingError, match="holds no Parquet file"):
        LabelledPosts(tmp_path, 3)


@pytest.mark.parametrize("label", [-1, 3])
def test_labels_outside_the_vocabulary(tmp_path, label):
    write_posts(tmp_path, [("a", "1", [0, label])])
    with pytest.raises(ShardingError, match=r"part-0\.parquet: labels .* the vocabulary has the 3 from 0"):
        LabelledPosts(tmp_path, 3)


def test_posts_without_id(tmp_path):
    write_posts(tmp_path, [(None, "1", [0])])
    with pytest.raises(ShardingError, match=r"part-0\.parquet: 1 posts have no id"):
        LabelledPosts(tmp_path, 3)


def test_broken_files_are_named(tmp_path):
    (tmp_path / "part.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(ShardingError, match=r"part\.parquet: expected a Parquet table with the columns id string"):
        LabelledPosts(tmp_path, 3)
    pq.write_table(pa.table({"id": ["a"], "labels": [[1]]}), tmp_path / "part.parquet")
    with pytest.raises(ShardingError, match="image"):
        LabelledPosts(tmp_path, 3)
    pq.write_table(pa.table({"id": ["a"], "image": ["b"], "labels": [["bear"]]}), tmp_path / "part.parquet")
    with pytest.raises(ShardingError, match="labels list<"):
        LabelledPosts(tmp_path, 3)
