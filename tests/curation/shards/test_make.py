"""Whole runs: what the shards hold, what is left out and why, and that every way leads to the same bytes."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from igdet.curation.images import CleanSettings, restarts
from igdet.curation.images.jpeg import has_restarts
from igdet.curation.shards import IdList, ShardingError, ShardSettings
from igdet.curation.shards.id_list import opaque_key
from igdet.formats.shards import ShardIndex, ShardReader
from igdet.utils.hashing import sha256

from .conftest import POSTS, VOCABULARY, content, image, write_posts


def keys_in(folder):
    return ShardIndex.open(folder).keys.to_pylist()


def keys_of(*numbers):
    return [opaque_key(POSTS[i][0], b"") for i in numbers]


def test_shards_hold_the_posts_in_order(make, workplace):
    tally = make()
    assert (tally.posts, tally.kept, tally.shards_made, tally.shards_found) == (12, 12, 3, 0) and not tally.left_out
    index = ShardIndex.open(workplace / "shards")
    assert index.shard_names == ["posts-000000.tar", "posts-000001.tar", "posts-000002.tar"]
    assert index.shard_starts.tolist() == [0, 5, 10]
    assert index.keys.to_pylist() == keys_of(*range(12))
    offsets = index.label_offsets
    assert [index.label_ids[offsets[i] : offsets[i + 1]].tolist() for i in range(12)] == [post[2] for post in POSTS]
    reader = ShardReader(index)
    assert all(reader.read(i) == image(i) for i in range(12))  # Pillow's own JPEGs hold nothing to strip
    assert (workplace / "shards" / "vocabulary.txt").read_text() == VOCABULARY.text()


def test_other_tools_find_canonical_names(make, workplace):
    make()
    with tarfile.open(workplace / "shards" / "posts-000000.tar") as tar:
        assert json.load(tar.extractfile(f"{keys_of(0)[0]}.json")) == {"hashtags": ["bear", "river"]}


def test_processes_and_threads_change_no_byte(make, workplace):
    make("one")
    make("two", processes=2)
    make("threads", ShardSettings(posts_per_shard=5, reads_at_a_time=4))
    assert content(workplace / "one") == content(workplace / "two") == content(workplace / "threads")


def test_finished_shards_are_skipped(make, workplace):
    make()
    before = content(workplace / "shards")
    (workplace / "images" / "00.jpg").unlink()  # is not read again
    tally = make()
    assert (tally.kept, tally.shards_made, tally.shards_found) == (12, 0, 3)
    assert content(workplace / "shards") == before


@pytest.mark.parametrize("damage", ["shard", "longer shard", "record", "broken record", "index"])
def test_what_is_lost_is_made_again(make, workplace, damage):
    make()
    shards = workplace / "shards"
    before = content(shards)
    {
        "shard": lambda: (shards / "posts-000001.tar").unlink(),
        "longer shard": lambda: (shards / "posts-000001.tar").write_bytes(bytes(9)),
        "record": lambda: (shards / "records" / "posts-000001.parquet").unlink(),
        "broken record": lambda: (shards / "records" / "posts-000001.parquet").write_bytes(b"PAR1"),
        "index": lambda: (shards / "index.parquet").unlink(),
    }[damage]()
    assert make().shards_made == (damage != "index")
    assert content(shards) == before


@pytest.mark.parametrize(
    "settings",
    [ShardSettings(posts_per_shard=4), ShardSettings(posts_per_shard=5, cleaning=CleanSettings(8))],
)
def test_other_settings_give_other_shards_as_if_made_at_once(make, workplace, settings):
    make()
    assert make(settings=settings).shards_made == 3
    make("at_once", settings)
    assert content(workplace / "shards") == content(workplace / "at_once")


@pytest.mark.skipif(restarts._binding is None, reason=restarts._missing)
def test_with_restart_markers_pixels_stay_and_images_that_lack_them_are_counted(make, workplace):
    cut = workplace / "images/07.jpg"
    cut.write_bytes(image(7)[:-30] + b"\xff\xd9")  # Pillow decodes it all the same
    settings = ShardSettings(posts_per_shard=5, cleaning=CleanSettings(restart_markers=True))
    tally = make(settings=settings)
    assert (tally.kept, tally.without_restarts) == (12, 1)
    reader = ShardReader(ShardIndex.open(workplace / "shards"))
    assert [has_restarts(reader.read(i)) for i in range(12)] == [i != 7 for i in range(12)]
    for i in range(12):
        before = (workplace / f"images/{i:02}.jpg").read_bytes()
        found, expected = (Image.open(io.BytesIO(data)) for data in (reader.read(i), before))
        np.testing.assert_array_equal(found, expected)
    again = make(settings=settings)
    assert (again.shards_found, again.without_restarts) == (3, 1)


def test_a_salt_gives_other_keys(make, workplace):
    make()
    plain = keys_in(workplace / "shards")
    (workplace / "salt").write_text("secret")
    assert make(settings=ShardSettings(posts_per_shard=5, salt_file=str(workplace / "salt"))).shards_made == 3
    assert set(plain).isdisjoint(keys_in(workplace / "shards"))


def test_another_vocabulary_changes_the_shards_with_its_labels(make, workplace):
    make()
    (workplace / "vocabulary.txt").write_text("bear brownbear\nstrix owl\nriver stream\n")
    assert make().shards_made == 3
    (workplace / "vocabulary.txt").write_text("bear\nstrix owl\nriver stream\n")
    assert make().shards_made == 0
    assert len(ShardIndex.open(workplace / "shards")) == 12


def test_fewer_posts_leave_no_shard_behind(make, workplace):
    make()
    write_posts(workplace / "posts", POSTS[:5])
    assert make().shards_found == 1
    make("at_once")
    assert content(workplace / "shards") == content(workplace / "at_once")


def test_no_posts_make_an_empty_index(make, workplace):
    write_posts(workplace / "posts", [])
    assert make().posts == 0 and len(ShardIndex.open(workplace / "shards")) == 0


def test_bad_images_are_left_out_counted_and_named(make, workplace):
    images = workplace / "images"
    (images / "01.jpg").write_bytes(image(1)[:-200])
    (images / "06.jpg").unlink()
    (images / "10.jpg").write_bytes(b"")
    (images / "11.jpg").unlink()
    (images / "11.jpg").symlink_to(workplace / "vocabulary.txt")
    for made in (3, 0):
        tally = make()
        assert tally.left_out == {"cut_short": 1, "missing": 1, "empty": 1, "outside_root": 1}
        assert (tally.kept, tally.shards_made) == (8, made)
        assert keys_in(workplace / "shards") == keys_of(0, 2, 3, 4, 5, 7, 8, 9)
        lines = (workplace / "shards" / "records" / "bad_images.jsonl").read_text().splitlines()
        found = [json.loads(line) for line in lines]
        assert [(entry["id"], entry["image"], entry["reason"]) for entry in found] == [
            (POSTS[1][0], "01.jpg", "cut_short"),
            (POSTS[6][0], "06.jpg", "missing"),
            (POSTS[10][0], "10.jpg", "empty"),
            (POSTS[11][0], "11.jpg", "outside_root"),
        ]
        assert all(entry["why"] for entry in found)
    assert not (workplace / "shards" / "posts-000002.tar").exists()  # none of its two posts is left


def test_too_many_bad_images_stop_the_run_until_they_are_back(make, workplace):
    images = workplace / "images"
    images.rename(workplace / "away")
    images.mkdir()
    with pytest.raises(ShardingError, match=r"12 of 12 images are bad \(missing 12\), the last one 11\.jpg"):
        make(settings=ShardSettings(posts_per_shard=12))
    assert not (workplace / "shards" / "index.parquet").exists()
    images.rmdir()
    (workplace / "away").rename(images)
    assert make(settings=ShardSettings(posts_per_shard=12)).kept == 12


def test_posts_that_opt_out_leave_their_shards(make, workplace):
    make()
    before = content(workplace / "shards")
    opted_out = IdList([POSTS[1][0], sha256(image(3))])
    tally = make(exclusions={"near_duplicate": IdList([POSTS[2][0]]), "opted_out": opted_out})
    assert (tally.kept, tally.shards_made, tally.shards_found) == (9, 1, 2)
    assert tally.left_out == {"opted_out": 2, "near_duplicate": 1} and tally.bad == 0
    assert keys_in(workplace / "shards") == keys_of(0, 4, 5, 6, 7, 8, 9, 10, 11)
    tar = (workplace / "shards" / "posts-000000.tar").read_bytes()
    assert not any(image(i) in tar for i in (1, 2, 3)) and image(0) in tar
    assert make().shards_made == 1 and content(workplace / "shards") == before


def test_opting_out_gives_the_same_bytes_before_and_after(make, workplace):
    lists = {"opted_out": IdList([POSTS[7][0], sha256(image(0))])}
    make("before", exclusions=lists)
    make("after")
    make("after", exclusions=lists)
    assert content(workplace / "before") == content(workplace / "after")
    assert make("after", exclusions=lists).shards_found == 3


def test_a_cleaned_image_can_opt_out_by_either_hash(make, workplace):
    settings = ShardSettings(posts_per_shard=5, cleaning=CleanSettings(8))
    make(settings=settings)
    stored = ShardReader(ShardIndex.open(workplace / "shards")).read(11)
    lists = {"opted_out": IdList([sha256(stored), sha256(image(10))])}
    assert make(settings=settings, exclusions=lists).kept == 10
    assert not (workplace / "shards" / "posts-000002.tar").exists()


def test_training_reads_the_shards(make, workplace):
    pytest.importorskip("torch")
    records = pytest.importorskip("igdet.data.readers.shards")
    images = pytest.importorskip("igdet.data.images.decoding")
    make()
    found = records.ShardRecords(str(workplace / "shards"))
    assert [found.image_id(i) for i in range(12)] == keys_of(*range(12))
    image = images.open_croppable(found.read(3), "RGB", "3")
    assert (image.height, image.width) == (16, 16)
