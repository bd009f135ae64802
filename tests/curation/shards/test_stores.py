"""Shards in a store: the bytes of a local run, also after breaks; the records stay in the output folder."""

import errno
import os

import fsspec
import pytest

from igdet.curation.shards import IdList, ShardingError, ShardSettings, shard_maker
from igdet.curation.shards.place import PUBLISHED, place_of, store_of
from igdet.formats.shards import writer
from igdet.utils.hashing import sha256
from igdet.utils.object_stores import StoreError
from igdet.utils.stored_folder import WAITS, Facts
from igdet.utils.yaml import ConfigError
from tests.support.memory_store import stored_files

from .conftest import POSTS, content, write_posts

ROOT = "memory://bucket/posts"
SETTINGS = ShardSettings(posts_per_shard=5, to=ROOT)
SHARDS = [f"posts-{i:06d}.tar" for i in range(3)]


@pytest.fixture
def expected(make, workplace):
    """The shards, and what lies beside them, of a local run: name -> content."""
    make("local")
    return {name: data for name, data in content(workplace / "local").items() if "/" not in name}


@pytest.fixture
def make_stored(make, faults):
    """Make shards in the store; give what became of the posts."""

    def run(settings=SETTINGS, **named):
        return make(settings=settings, **named)

    return run


def stored():
    return {name: data for name, data in stored_files(ROOT).items() if name != "owner.txt"}


def test_the_store_gets_the_bytes_of_a_local_run_and_the_folder_keeps_the_rest(make_stored, expected, workplace):
    tally = make_stored()
    assert stored() == expected and (tally.kept, tally.shards_made) == (12, 3)
    assert tally.stored == {f"{ROOT}/{name}": Facts(len(data), sha256(data)) for name, data in expected.items()}
    kept = content(workplace / "shards")
    records = {f"records/posts-{i:06d}.parquet" for i in range(3)} | {
        "records/bad_images.jsonl",
        "records/store.txt",
        "records/owner.txt",
    }
    assert kept.keys() == {*PUBLISHED, *records}
    assert all(kept[name] == expected[name] for name in PUBLISHED)
    assert store_of(workplace / "shards").root == ROOT and store_of(workplace / "local") is None


def test_finished_shards_are_found_and_nothing_of_them_is_read(make_stored, expected, workplace, faults):
    first = make_stored()
    (workplace / "images/00.jpg").unlink()
    faults.calls.clear()
    again = make_stored()
    assert (again.shards_made, again.shards_found, again.stored) == (0, 3, first.stored) and stored() == expected
    assert {name for method, name in faults.calls if method in ("put_file", "cat_file")} == {*PUBLISHED, "owner.txt"}


@pytest.mark.parametrize("damage", ["shard", "other size", "record", "broken record"])
def test_what_is_lost_or_changed_is_made_again(make_stored, expected, workplace, damage):
    make_stored()
    files, record = fsspec.filesystem("memory"), workplace / "shards/records/posts-000001.parquet"
    {
        "shard": lambda: files.rm("/bucket/posts/posts-000001.tar"),
        "other size": lambda: files.pipe("/bucket/posts/posts-000001.tar", b"other"),
        "record": record.unlink,
        "broken record": lambda: record.write_bytes(b"PAR1"),
    }[damage]()
    assert make_stored().shards_made == 1 and stored() == expected


@pytest.mark.parametrize("uploads", range(6))
def test_a_run_that_ends_at_any_upload_is_ended_by_the_next(make_stored, expected, faults, uploads):
    faults.errors["put_file"] = [None] * uploads + [PermissionError("ExpiredToken")]
    with pytest.raises(StoreError, match=r"ExpiredToken \(are the credentials set"):
        make_stored()
    whole = [*SHARDS, *PUBLISHED][:uploads]
    assert stored() == {name: expected[name] for name in whole}
    assert make_stored().shards_found == min(uploads, 3) and stored() == expected


def test_an_uploaded_shard_without_its_record_is_made_again(make_stored, expected, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shard_maker, "write_part", stop)
        with pytest.raises(KeyboardInterrupt):
            make_stored()
    assert list(stored()) == SHARDS[:1]
    assert make_stored().shards_made == 3 and stored() == expected


def test_index_and_summary_go_before_a_shard_is_made_again(make_stored, expected, faults):
    make_stored()
    lists = {"opted_out": IdList([POSTS[7][0]])}
    faults.errors["put_file"] = [PermissionError("403")]
    with pytest.raises(StoreError):
        make_stored(exclusions=lists)
    assert stored().keys() == {*SHARDS, "vocabulary.txt"}
    assert make_stored(exclusions=lists).kept == 11
    assert make_stored().shards_made == 1 and stored() == expected


def test_fewer_posts_leave_no_shard_behind_and_none_makes_no_file(make, make_stored, workplace):
    make_stored()
    write_posts(workplace / "posts", POSTS[:5])
    assert make_stored().shards_found == 1
    make("few")
    assert stored() == {name: data for name, data in content(workplace / "few").items() if "/" not in name}
    assert make_stored(exclusions={"out": IdList([post[0] for post in POSTS])}).kept == 0
    assert stored().keys() == set(PUBLISHED)
    again = make_stored(exclusions={"out": IdList([post[0] for post in POSTS])})
    assert (again.shards_made, again.shards_found) == (0, 1)


def test_shards_move_between_folder_and_stores(make, make_stored, expected, workplace):
    other = ShardSettings(posts_per_shard=5, to="memory://bucket/other/")
    make()
    assert make_stored().shards_made == 3
    fsspec.filesystem("memory").pipe(f"/bucket/posts/{SHARDS[0]}", bytes(len(expected[SHARDS[0]])))  # as an older one
    assert make_stored(other).shards_made == 3 and make_stored(other).shards_made == 0
    assert stored_files("memory://bucket/other").items() >= expected.items()
    assert make_stored().shards_made == 3 and stored() == expected
    assert make().shards_made == 3 and store_of(workplace / "shards") is None
    assert make_stored().shards_made == 3 and stored() == expected


def test_another_curation_is_kept_out(make, make_stored, expected, workplace):
    make_stored()
    with pytest.raises(
        StoreError, match=r"SHARDS\.TO: another curation than that of .*second .* remove memory://.*txt"
    ):
        make("second", SETTINGS)
    assert stored() == expected and store_of(workplace / "second") is None
    fsspec.filesystem("memory").rm("/bucket/posts/owner.txt")
    assert make("second", SETTINGS).shards_made == 3
    with pytest.raises(StoreError, match=r"SHARDS\.TO: another curation"):
        place_of(workplace / "shards", ROOT).check()


def test_a_store_that_throttles_changes_no_byte(make_stored, expected, faults):
    faults.errors["put_file"] = [OSError("503 Slow Down"), TimeoutError(), None, ConnectionResetError()]
    make_stored()
    assert stored() == expected and faults.waited == [*WAITS[:2], WAITS[0]]


def test_a_full_temporary_disk_is_named_and_leaves_nothing(make_stored, expected, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(writer, "_append_member", fail)
        with pytest.raises(ShardingError, match=r"No space left.* before they go to memory://.*; set TMPDIR"):
            make_stored()
    assert stored() == {}
    assert make_stored().shards_made == 3 and stored() == expected


@pytest.mark.parametrize("to", ["https://host/posts", "/mnt/posts", "hf://datasets/a/b"])
def test_what_is_no_store_that_takes_files_is_refused(to):
    with pytest.raises(ConfigError, match=f"SHARDS.TO: '{to}' is no address of a store"):
        ShardSettings(to=to)
