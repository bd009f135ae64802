"""Sets of images."""

import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.curation.duplicates.image_sets import DuplicatesError, ImageSet, open_image_set
from igdet.curation.images import ImageError
from igdet.formats.shards import ShardWriter
from igdet.formats.vocabulary import Vocabulary


def contents(images):
    return {name: images.read(row) for row, name in enumerate(images.ids.to_pylist())}


def test_a_folder_is_listed_sorted_with_the_folders_below_it(make_folder):
    folder = make_folder({"b.jpg": b"1", "a/z.PNG": b"2", "a/notes.txt": b"3"})
    images = open_image_set(folder)
    assert images.ids.to_pylist() == ["a/z.PNG", "b.jpg"]
    assert contents(images) == {"a/z.PNG": b"2", "b.jpg": b"1"}


def test_a_table_names_its_images_and_ids_stay_text(make_folder):
    folder = make_folder({"x.jpg": b"1", "posts.csv": b"id,image,other\n007,x.jpg,5\n"})
    assert contents(open_image_set(folder / "posts.csv")) == {"007": b"1"}


def test_a_folder_of_parquet_files_is_one_table_with_its_own_root(make_folder, tmp_path):
    root = make_folder({"x.jpg": b"1", "y.jpg": b"2"})
    (tmp_path / "posts").mkdir()
    for name in ("x", "y"):
        pq.write_table(pa.table({"id": [name], "image": [f"{name}.jpg"]}), tmp_path / f"posts/{name}.parquet")
    assert contents(open_image_set(tmp_path / "posts", root)) == {"x": b"1", "y": b"2"}


def test_a_table_leads_nowhere_else(make_folder):
    folder = make_folder({"tables/posts.csv": b"id,image\n1,../secret.jpg\n", "secret.jpg": b"1"})
    with pytest.raises(ImageError, match="outside_root"):
        open_image_set(folder / "tables/posts.csv").read(0)


def test_shards_go_by_their_keys_also_in_another_process(tmp_path):
    with ShardWriter(tmp_path, Vocabulary([["cat"]])) as writer:
        writer.add("k1", b"first", ["cat"])
        writer.add("k2", b"second", ["cat"])
    images = pickle.loads(pickle.dumps(open_image_set(tmp_path)))
    assert contents(images) == {"k1": b"first", "k2": b"second"}


def test_a_image_missing_from_a_shard_is_a_bad_image(tmp_path):
    with ShardWriter(tmp_path, Vocabulary([["cat"]])) as writer:
        writer.add("k1", b"first", ["cat"])
    images = open_image_set(tmp_path)
    (tmp_path / "posts-000000.tar").write_bytes(b"")
    with pytest.raises(ImageError, match="cut_short"):
        images.read(0)


@pytest.mark.parametrize("ids", [["a", "b", "a"], ["a", None]])
def test_every_image_needs_an_id_of_its_own(ids):
    with pytest.raises(DuplicatesError, match="an id of its own"):
        ImageSet(pa.array(ids), lambda row: b"")


@pytest.mark.parametrize(
    ("files", "path", "message"),
    [
        ({"notes.txt": b""}, "", "holds no images"),
        ({"x.jpg": b""}, "x.jpg", "expected shards"),
        ({"x.jpg": b""}, "missing", "expected shards"),
        ({"posts.csv": b"id\n1\n"}, "posts.csv", "id and image"),
        ({"posts.csv": b"id,image\n"}, "posts.csv", "0 posts"),
        ({"posts.parquet": b"broken"}, "posts.parquet", "id and image"),
    ],
)
def test_what_is_no_set_is_named(make_folder, files, path, message):
    with pytest.raises(DuplicatesError, match=message):
        open_image_set(make_folder(files) / path)
