"""The posts that go into shards: labelled, each once, in order."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.curation.shards import ShardingError
from igdet.curation.shards.labelled_posts import LabelledPosts

from .conftest import write_posts

MANY = [("a", "1", [0]), ("b", "2", [1, 2]), ("c", "3", [2])]
MORE = [("d", "4", [0])]


@pytest.fixture
def folder(tmp_path):
    write_posts(tmp_path, MORE, "part-1.parquet")
    write_posts(tmp_path, [], "part-05.parquet")
    write_posts(tmp_path, MANY, "part-0.parquet")
    return tmp_path


def test_posts_come_in_the_order_of_files(folder):
    posts = LabelledPosts([folder], 3)
    assert len(posts) == 4
    assert pa.concat_tables(posts.tables(2))["labels"].to_pylist() == [[0], [1, 2], [2], [0]]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
def test_any_size_gives_the_same_posts(folder, size):
    tables = list(LabelledPosts([folder], 3).tables(size))
    assert [image for table in tables for image in table["image"].to_pylist()] == ["1", "2", "3", "4"]
    assert all(len(table) == size for table in tables[:-1])


def test_no_post_gives_no_table(tmp_path):
    write_posts(tmp_path, [])
    assert list(LabelledPosts([tmp_path], 3).tables(2)) == []


def test_large_types_are_read_as_well(tmp_path):
    table = pa.table(
        {
            "id": pa.array(["a"], pa.large_string()),
            "image": pa.array(["1"], pa.large_string()),
            "labels": pa.array([[1]], pa.large_list(pa.int64())),
        }
    )
    pq.write_table(table, tmp_path / "part.parquet")
    assert next(LabelledPosts([tmp_path], 3).tables(2)).to_pylist() == [{"id": "a", "image": "1", "labels": [1]}]


def test_a_folder_without_posts(tmp_path):
    with pytest.raises(ShardingError, match="holds no Parquet file"):
        LabelledPosts([tmp_path], 3)


@pytest.mark.parametrize(
    ("post", "problem"),
    [
        (("a", "1", [0, -1]), r"labels -1 to 0, but the vocabulary has the 3 from 0"),
        (("a", "1", [0, 3]), r"labels 0 to 3"),
        ((None, "1", [0]), "1 posts have no id"),
        (("a", "1", []), "1 posts have no label"),
        (("a", "1", None), "1 posts have no label"),
    ],
)
def test_posts_that_the_stage_before_does_not_leave(tmp_path, post, problem):
    write_posts(tmp_path, [post])
    with pytest.raises(ShardingError, match=rf"part-0\.parquet: {problem}"):
        list(LabelledPosts([tmp_path], 3).tables(2))


def test_broken_files_are_named(tmp_path):
    (tmp_path / "part.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(ShardingError, match=r"part\.parquet: expected a Parquet table with the columns id string"):
        LabelledPosts([tmp_path], 3)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"id": ["a"], "labels": [[1]]}, "image"),
        ({"id": ["a"], "image": ["b"], "labels": [["bear"]]}, "labels list<"),
    ],
)
def test_columns_of_other_kinds_are_named(tmp_path, table, problem):
    pq.write_table(pa.table(table), tmp_path / "part.parquet")
    with pytest.raises(ShardingError, match=problem):
        list(LabelledPosts([tmp_path], 3).tables(2))
