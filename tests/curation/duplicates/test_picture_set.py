"""Sets of pictures."""

import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.curation.duplicates.image_sets import DuplicatesError, PictureSet, open_pictures
from igdet.curation.images import PictureError
from igdet.formats.shards import ShardWriter
from igdet.formats.vocabulary import Vocabulary


def contents(pictures):
    return {name: pictures.read(row) for row, name in enumerate(pictures.ids.to_pylist())}


def test_a_folder_is_listed_sorted_with_the_folders_below_it(make_folder):
    folder = make_folder({"b.jpg": b"1", "a/z.PNG": b"2", "a/notes.txt": b"3"})
    pictures = open_pictures(folder)
    assert pictures.ids.to_pylist() == ["a/z.PNG", "b.jpg"]
    assert contents(pictures) == {"a/z.PNG": b"2", "b.jpg": b"1"}


def test_a_table_names_its_pictures_and_ids_stay_text(make_folder):
    folder = make_folder({"x.jpg": b"1", "posts.csv": b"id,image,other\n007,x.jpg,5\n"})
    assert contents(open_pictures(folder / "posts.csv")) == {"007": b"1"}


def test_a_folder_of_parquet_files_is_one_table_with_its_own_root(make_folder, tmp_path):
    root = make_folder({"x.jpg": b"1", "y.jpg": b"2"})
    (tmp_path / "posts").mkdir()
    for name in ("x", "y"):
        pq.write_table(pa.table({"id": [name], "image": [f"{name}.jpg"]}), tmp_path / f"posts/{name}.parquet")
    assert contents(open_pictures(tmp_path / "posts", root)) == {"x": b"1", "y": b"2"}


def test_a_table_leads_nowhere_else(make_folder):
    folder = make_folder({"tables/posts.csv": b"id,image\n1,../secret.jpg\n", "secret.jpg": b"1"})
    with pytest.raises(PictureError, match="outside_root"):
        open_pictures(folder / "tables/posts.csv").read(0)


def test_shards_go_by_their_keys_also_in_another_process(tmp_path):
    with ShardWriter(tmp_path, Vocabulary([["cat"]])) as writer:
        writer.add("k1", b"first", ["cat"])
        writer.add("k2", b"second", ["cat"])
    pictures = pickle.loads(pickle.dumps(open_pictures(tmp_path)))
    assert contents(pictures) == {"k1": b"first", "k2": b"second"}


def test_a_picture_missing_from_a_shard_is_a_bad_picture(tmp_path):
    with ShardWriter(tmp_path, Vocabulary([["cat"]])) as writer:
        writer.add("k1", b"first", ["cat"])
    pictures = open_pictures(tmp_path)
    (tmp_path / "posts-000000.tar").write_bytes(b"")
    with pytest.raises(PictureError, match="cut_short"):
        pictures.read(0)


@pytest.mark.parametrize("ids", [["a", "b", "a"], ["a", None]])
def test_every_picture_needs_an_id_of_its_own(ids):
    with pytest.raises(DuplicatesError, match="an id of its own"):
        PictureSet(pa.array(ids), lambda row: b"")


@pytest.mark.parametrize(
    ("files", "path", "message"),
    [
        ({"notes.txt": b""}, "", "holds no pictures"),
        ({"x.jpg": b""}, "x.jpg", "expected shards"),
        ({"x.jpg": b""}, "missing", "expected shards"),
        ({"posts.csv": b"id\n1\n"}, "posts.csv", "id and image"),
        ({"posts.csv": b"id,image\n"}, "posts.csv", "0 posts"),
        ({"posts.parquet": b"broken"}, "posts.parquet", "id and image"),
    ],
)
def test_what_is_no_set_is_named(make_folder, files, path, message):
    with pytest.raises(DuplicatesError, match=message):
        open_pictures(make_folder(files) / path)
