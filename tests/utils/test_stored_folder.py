"""Files written to a store: whole and compared, again where that helps, with a clear end where it does not."""

import hashlib
import sys

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from igdet.utils import stored_folder
from igdet.utils.object_stores import StoreError
from igdet.utils.stored_folder import Facts, StoredFolder, sizes_of
from tests.support.memory_store import stored_files

ROOT = "memory://bucket/posts"
CONTENT = bytes(range(250))
WAITS = [1, 2, 4, 8, 16, 32, 64, 128]


@pytest.fixture
def file(tmp_path):
    (tmp_path / "a.tar").write_bytes(CONTENT)
    return tmp_path / "a.tar"


@pytest.fixture
def store(faults):
    return StoredFolder(ROOT)


def test_files_are_written_listed_read_and_removed(store, file):
    assert (store.sizes(), store.size("a.tar"), store.read("a.tar")) == ({}, None, None)
    assert store.upload(file) == Facts(250, hashlib.sha256(CONTENT).hexdigest())
    store.create("owner", b"me")
    store.create("owner", b"another")
    assert (store.size("a.tar"), store.read("owner")) == (250, b"me")
    assert store.sizes() == {"a.tar": 250, "owner": 2}
    fsspec.filesystem("memory").pipe("/bucket/posts/below/b", b"x")
    assert store.sizes() == {"a.tar": 250, "owner": 2}
    assert sizes_of([store.address("a.tar"), "memory://bucket/none/b"])[f"{ROOT}/a.tar"] == 250
    for _ in range(2):
        store.remove("a.tar")
    assert stored_files(ROOT) == {"owner": b"me", "below/b": b"x"}


def test_a_store_that_throttles_times_out_or_cuts_off_is_asked_again(store, file, faults):
    faults.errors["put_file"] = [OSError("503 Slow Down"), TimeoutError(), ConnectionResetError("cut off")]
    store.upload(file)
    assert faults.waited == [1, 2, 4] and stored_files(ROOT) == {"a.tar": CONTENT}


@pytest.mark.parametrize(
    ("error", "waits", "message"),
    [
        (FileNotFoundError("bucket"), [], r"memory://bucket/posts/a\.tar .*: there is no such bucket\. The same"),
        (PermissionError("ExpiredToken"), [], r"a\.tar .*: ExpiredToken \(are the credentials set, still good"),
        (type("NoCredentialsError", (Exception,), {})("none found"), [], r"none found \(are the credentials set"),
        (OSError("503 Slow Down"), WAITS, r"503 Slow Down\. The same command goes on"),
        (TimeoutError(), WAITS, "TimeoutError"),
    ],
)
def test_what_does_not_help_is_not_tried_for_ever(store, file, faults, error, waits, message):
    faults.errors["put_file"] = [error] * 20
    with pytest.raises(StoreError, match=message):
        store.upload(file)
    assert faults.waited == waits


def test_an_upload_that_the_store_does_not_show_is_done_again(store, file, faults, monkeypatch):
    faults.errors["info"] = [FileNotFoundError("lags"), None]
    store.upload(file)
    assert faults.waited == [1] and faults.calls.count(("put_file", "a.tar")) == 2
    real, sizes = MemoryFileSystem.info, [100, 250]
    monkeypatch.setattr(MemoryFileSystem, "info", lambda *args, **named: real(*args, **named) | {"size": sizes.pop(0)})
    store.upload(file)
    assert faults.waited == [1, 1] and sizes == []


@pytest.mark.parametrize("part", [50, 100, 126, 1000])
def test_etags_are_compared_where_the_store_shows_that_they_are_sums(store, file, faults, monkeypatch, part):
    monkeypatch.setattr(stored_folder, "_PART", part)
    tags = []
    real = MemoryFileSystem.info
    monkeypatch.setattr(MemoryFileSystem, "info", lambda *args, **named: real(*args, **named) | {"ETag": tags[0]})
    parts = [CONTENT[start : start + part] for start in range(0, 250, part)] if 2 * part <= 250 else [CONTENT]
    sums = b"".join(hashlib.md5(one).digest() for one in parts)
    right = f'"{hashlib.md5(sums).hexdigest()}-{len(parts)}"' if len(parts) > 1 else f'"{sums.hex()}"'
    tags[:] = [right]
    StoredFolder(ROOT, has_md5=True).upload(file)
    tags[:] = ['"0123-9"']
    store.upload(file)  # of a store whose ETags are something else
    with pytest.raises(StoreError, match=r"a\.tar .*: the store has other bytes than were written: ETag 0123-9"):
        StoredFolder(ROOT, has_md5=True).upload(file)
    assert faults.waited == WAITS


def test_a_small_file_shows_whether_etags_are_sums(store, faults, monkeypatch):
    store.create("owner", b"me")
    assert not store.knows_md5("owner") and not store.knows_md5("none")
    real, tags = MemoryFileSystem.info, ["0" * 32, hashlib.md5(b"me").hexdigest()]
    monkeypatch.setattr(MemoryFileSystem, "info", lambda *args, **named: real(*args, **named) | {"ETag": tags.pop(0)})
    assert [store.knows_md5("owner") for _ in range(2)] == [False, True]


def test_a_client_that_is_missing_is_named(store, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(StoreError, match=r'memory://bucket/posts .*pip install "igdet\[stores\]"'):
        store.sizes()


def test_a_listing_that_fails_is_asked_again(store, file, faults):
    store.upload(file)
    faults.errors["ls"] = [OSError("503 Slow Down")]
    assert store.sizes() == {"a.tar": 250} and faults.waited == [1]
    faults.errors["ls"] = [PermissionError("403")]
    with pytest.raises(StoreError, match=r"memory://bucket/posts cannot be read or written: 403"):
        store.sizes()
