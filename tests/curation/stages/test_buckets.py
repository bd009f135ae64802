"""Posts in the order of a hash, each id once."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.curation.shards.labelled_posts import SCHEMA
from igdet.curation.stages.numbered_posts import bucket_files, merge_bucket

# order, id, image, labels; the best of each id comes first
POSTS = [
    (2, "c", "c.jpg", [1]),
    (5, "a", "a.jpg", [0, 1, 2]),
    (5, "a", "a.jpg", [0, 1]),
    (5, "a", "a.jpg", [0, 2]),
    (5, "a", "b.jpg", [0, 1, 2, 3]),
    (5, "b", "0.jpg", [7]),  # another id of the same hash
    (2**64 - 1, "d", "d.jpg", [4]),
]
KEPT = [POSTS[i] for i in (0, 1, 5, 6)]


def write(path, posts):
    columns = [list(column) for column in zip(*posts, strict=True)]
    types = [pa.uint64(), *SCHEMA.types]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    pq.write_table(pa.table(arrays, ["order", *SCHEMA.names]), path)
    return str(path)


def merged(folder, *parts, known=()):
    (folder / "bucket=0").mkdir(parents=True)
    files = [write(folder / f"bucket=0/{number}.parquet", part) for number, part in enumerate(parts)]
    merge_bucket(folder.parent / "known", [*known, *files], folder)
    table = pq.read_table(folder / "posts.parquet")
    assert table.schema == SCHEMA
    return [tuple(row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize("cut", [1, 3, 6])
def test_the_order_and_what_is_kept_do_not_depend_on_the_parts(tmp_path, cut):
    expected = [post[1:] for post in KEPT]
    assert merged(tmp_path / "forwards", POSTS[:cut], POSTS[cut:]) == expected
    assert merged(tmp_path / "backwards", POSTS[cut:][::-1], POSTS[:cut][::-1]) == expected
    written = [(tmp_path / name / "posts.parquet").read_bytes() for name in ("forwards", "backwards")]
    assert written[0] == written[1]


def test_of_equal_posts_the_first_labels_as_text_stay(tmp_path):
    posts = [(1, "a", "a.jpg", [2, 9]), (1, "a", "a.jpg", [10, 11])]
    assert merged(tmp_path / "one", posts) == merged(tmp_path / "two", posts[::-1]) == [("a", "a.jpg", [10, 11])]


def test_files_are_grouped_by_the_number_of_their_bucket():
    files = [Path(name) for name in ("0/bucket=10/x", "0/bucket=2/x", "1/bucket=10/x")]
    assert list(bucket_files(files).items()) == [(2, ["0/bucket=2/x"]), (10, ["0/bucket=10/x", "1/bucket=10/x"])]
    assert bucket_files([]) == {}


def test_posts_that_are_known_by_their_ids_are_left_out(tmp_path):
    (tmp_path / "known").mkdir()
    known = [write(tmp_path / "known/0.parquet", [(5, "a", "z.jpg", [3]), (9, "e", "e.jpg", [3])])]
    assert merged(tmp_path / "some", POSTS, known=known) == [POSTS[i][1:] for i in (0, 5, 6)]
    known += [write(tmp_path / "known/1.parquet", POSTS)]
    assert merged(tmp_path / "none", POSTS, known=known) == []
