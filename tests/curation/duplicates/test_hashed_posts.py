"""Hashes of posts in files: the pairs are those of a search in memory, however the posts are cut."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageEnhance, ImageOps

from igdet.curation.duplicates import hashed_posts
from igdet.curation.duplicates.finding import find
from igdet.curation.duplicates.hashed_posts import FILE, ORIENTATIONS, PostHasher, cut, find_pairs, read_skipped
from igdet.curation.duplicates.image_sets import DuplicatesError
from igdet.curation.duplicates.result import SCHEMA, Request

TURNED = Image.Transpose.ROTATE_90
EDITS = [
    ImageOps.mirror,
    lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    lambda image: image.transpose(TURNED),
]


@pytest.fixture
def posts(make_folder, make_scene, tmp_path):
    """A table of posts, two files, whose images are 12 scenes and 3 edits of each of 4; two are bad, one is grey."""
    images = {f"s{i}.jpg": make_scene(i) for i in range(12)}
    images |= {f"e{i}-{kind}.jpg": edit(make_scene(i)) for i in range(4) for kind, edit in enumerate(EDITS)}
    images |= {"broken.jpg": b"no image", "grey.jpg": make_scene(0).point(lambda value: 128)}
    make_folder(images, "images")
    names = sorted([*images, "missing.jpg"])
    (tmp_path / "posts").mkdir()
    for number, part in enumerate((names[:11], names[11:])):
        ids = [f"post of {name}" for name in part]
        pq.write_table(
            pa.table({"id": ids, "image": part, "labels": [[0]] * len(ids)}), tmp_path / f"posts/{number}.parquet"
        )
    return tmp_path / "posts"


def hashed(posts, folder, orientations):
    """Hash the posts, an item after the other; return the files."""
    work = PostHasher(posts.parent / "images", orientations, 0.2)
    files = []
    for number, item in enumerate(cut(sorted(posts.iterdir()))):
        (folder / str(number)).mkdir(parents=True)
        work(item, folder / str(number))
        files.append(folder / str(number) / FILE)
    return files


def in_memory(posts, tmp_path, evaluation=""):
    root = str(posts.parent / "images")
    request = Request(str(posts), str(evaluation), root, root, max_bad_share=0.2)
    return find(request, tmp_path / "in_memory", say=lambda line: None)


@pytest.mark.parametrize("size", [1, 4, 10_000])
@pytest.mark.parametrize("group", [1, 7, 1_000_000])
def test_pairs_among_the_posts(posts, tmp_path, monkeypatch, size, group):
    monkeypatch.setattr(hashed_posts, "_ITEM", size)
    monkeypatch.setattr(hashed_posts, "_GROUP", group)
    found, expected = find_pairs(hashed(posts, tmp_path / "h", ORIENTATIONS), [], 31), in_memory(posts, tmp_path)
    assert len(expected.pairs) >= 4 * 6  # of a scene and its three edits
    assert found.equals(expected.pairs)


@pytest.mark.parametrize("group", [1, 7, 1_000_000])
def test_pairs_with_evaluation_images(posts, make_folder, make_scene, tmp_path, monkeypatch, group):
    monkeypatch.setattr(hashed_posts, "_GROUP", group)
    make_folder({f"{i}.jpg": make_scene(i) for i in (1, 3, 20)}, "evaluation")
    evaluation = pa.table({"id": ["1", "3", "20"], "image": ["1.jpg", "3.jpg", "20.jpg"]})
    pq.write_table(evaluation, tmp_path / "evaluation/posts.parquet")
    queries = tmp_path / "queries"
    queries.mkdir()
    PostHasher(tmp_path / "evaluation", ORIENTATIONS, 0)([tmp_path / "evaluation/posts.parquet", "0", "3"], queries)
    root = str(posts.parent / "images")
    request = Request(str(posts), str(tmp_path / "evaluation/posts.parquet"), root, max_bad_share=0.2)
    expected = find(request, tmp_path / "in_memory", say=lambda line: None).pairs
    assert len(expected) == 2 * 4
    assert find_pairs(hashed(posts, tmp_path / "h", 1), [queries / FILE], 31).equals(expected)


def test_what_is_skipped_is_named(posts, tmp_path):
    found = read_skipped(hashed(posts, tmp_path / "h", 1))
    assert sorted(found) == sorted(in_memory(posts, tmp_path).skipped)
    assert {one.id: one.reason for one in found} == {
        "post of broken.jpg": "not_an_image",
        "post of grey.jpg": "featureless",
        "post of missing.jpg": "missing",
    }


def test_posts_are_cut_into_items_of_a_file(posts):
    items = cut(sorted(posts.iterdir()))
    assert [(int(start), int(stop)) for _, start, stop in items] == [
        *[(i, min(i + 4, 11)) for i in range(0, 11, 4)],
        *[(i, min(i + 4, 16)) for i in range(0, 16, 4)],
    ]
    assert cut([]) == []


def test_no_posts_and_no_pairs(tmp_path):
    assert find_pairs([], [], 31).equals(SCHEMA.empty_table())
    pq.write_table(
        pa.table({"id": pa.array([], pa.string()), "image": pa.array([], pa.string())}), tmp_path / "none.parquet"
    )
    (tmp_path / "h").mkdir()
    PostHasher(tmp_path, 1, 0)([tmp_path / "none.parquet", "0", "0"], tmp_path / "h")
    assert find_pairs([tmp_path / "h" / FILE], [], 31).equals(SCHEMA.empty_table())


def test_an_item_that_is_mostly_bad_stops_the_search(tmp_path):
    names = [f"{i}.jpg" for i in range(30)]
    pq.write_table(pa.table({"id": names, "image": [None, *names[1:]]}), tmp_path / "posts.parquet")
    with pytest.raises(DuplicatesError, match=r"30 of 30 images are bad, the last one 29.jpg: missing"):
        PostHasher(tmp_path, 1, 0.05)([tmp_path / "posts.parquet", "0", "30"], tmp_path)
    PostHasher(tmp_path, 1, 1.0)([tmp_path / "posts.parquet", "0", "30"], tmp_path)
    assert len(read_skipped([tmp_path / FILE])) == 30
    assert np.array(pq.read_table(tmp_path / FILE)["bits"]).tolist() == [None] * 30
