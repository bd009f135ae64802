"""Files of a store: fetched whole or not at all, again where that helps, kept within a bound."""

import os
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from igdet.utils import object_stores
from igdet.utils.object_stores import CachedStore, StoreError, is_remote
from tests.support.store_threads import wait_for_threads

ROOT = "memory://bucket/posts"


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """A store in memory, with ten files of 100 bytes; waits are noted, not waited."""
    monkeypatch.setenv("IGDET_CACHE", str(tmp_path / "cache"))
    waited = []
    monkeypatch.setattr(object_stores.time, "sleep", waited.append)
    files = fsspec.filesystem("memory")
    for number in range(10):
        files.pipe(f"/bucket/posts/{number}", bytes([number]) * 100)
    files.waited = waited
    yield files
    wait_for_threads()
    files.rm("/bucket", recursive=True)


@pytest.fixture
def failing(monkeypatch):
    """Has the next attempts to open a file end with errors; returns the list of them, and of what was opened."""
    errors, opened, real = [], [], MemoryFileSystem.open

    def open_or_fail(self, path, *args, **kwargs):
        opened.append(path.rpartition("/")[2])
        if errors:
            raise errors.pop(0)
        return real(self, path, *args, **kwargs)

    monkeypatch.setattr(MemoryFileSystem, "open", open_or_fail)
    return errors, opened


def kept(store):
    return sorted(path.name for path in store.folder.iterdir())


def read(store, name, size=100):
    with store.open(name, size) as file:
        return file.read()


def test_a_file_is_fetched_once(bucket, failing):
    store = CachedStore(ROOT, 1000)
    assert read(store, "3") == bytes([3]) * 100 == read(store, "3")
    assert read(CachedStore(ROOT + "/", 1000), "3") == bytes([3]) * 100  # another process
    assert failing[1] == ["3"]
    assert CachedStore(ROOT, 1000, "later").folder != store.folder


def test_the_least_used_files_make_room_but_for_open_ones(bucket):
    store = CachedStore(ROOT, 350)
    with store.open("0", 100):
        for age, name in enumerate("123"):
            read(store, name)
            os.utime(store.folder / name, (age, age))
        os.utime(store.folder / "0", (0, 0))
        assert kept(store) == ["0", "2", "3"]
        read(store, "4")
        assert kept(store) == ["0", "3", "4"]
    read(store, "5")
    assert len(kept(store)) == 3 and "0" not in kept(store)
    assert read(store, "0") == bytes(100)


def test_what_a_killed_process_left_is_removed_in_time_and_what_is_being_written_is_not(bucket):
    store = CachedStore(ROOT, 250)
    read(store, "0")
    for name, age in ((".1.abc.unfinished", 0), (".2.abc.unfinished", 7200)):
        (store.folder / name).write_bytes(bytes(50))
        os.utime(store.folder / name, ((store.folder / name).stat().st_mtime - age,) * 2)
    read(store, "3")
    read(store, "4")
    assert kept(store) == [".1.abc.unfinished", "3", "4"]


def test_a_store_that_throttles_is_asked_again(bucket, failing):
    errors, opened = failing
    errors += [OSError("503 Slow Down"), TimeoutError(), ConnectionResetError("cut off")]
    assert read(CachedStore(ROOT, 1000), "1") == bytes([1]) * 100
    assert bucket.waited == [1, 2, 4] and opened == ["1"] * 4


@pytest.mark.parametrize(
    ("error", "waits", "message"),
    [
        (FileNotFoundError("1"), 0, r"bucket/posts/1 is not there\. A run that has begun goes on"),
        (PermissionError("ExpiredToken"), 0, r"1 cannot be fetched: ExpiredToken; are the credentials still good\?"),
        (OSError("503 Slow Down"), 5, r"1 cannot be fetched: 503 Slow Down\. A run"),
    ],
)
def test_what_does_not_help_is_not_tried_for_ever(bucket, failing, error, waits, message):
    failing[0].extend([error] * 9)
    store = CachedStore(ROOT, 1000)
    with pytest.raises(StoreError, match=message):
        read(store, "1")
    assert len(bucket.waited) == waits and kept(store) == []


def test_a_file_of_another_size_is_refused_and_not_kept(bucket):
    store = CachedStore(ROOT, 1000)
    with pytest.raises(StoreError, match=r"has 100 bytes, expected 101: it was written again, or cut short"):
        read(store, "1", 101)
    assert kept(store) == []


def test_files_come_in_the_background_where_there_is_room(bucket, failing):
    errors, opened = failing
    store = CachedStore(ROOT, 1000)
    store.expect({"1": 100, "2": 100})
    assert read(store, "1") + read(store, "2") == bytes([1]) * 100 + bytes([2]) * 100
    assert sorted(opened) == ["1", "2"]
    store.expect({str(number): 100 for number in range(6)})  # more than half of what may be kept
    assert sorted(opened) == ["1", "2"]
    errors.extend([FileNotFoundError()] * 2)
    store.expect({"3": 100})
    with pytest.raises(StoreError, match="3 is not there"):
        read(store, "3")


def test_files_that_are_expected_are_not_removed_by_another_reader(bucket, failing):
    first, second = CachedStore(ROOT, 400), CachedStore(ROOT, 400)
    first.expect({"0": 100, "1": 100})
    for future in first._coming.values():
        future.result()
    for name in "23456":
        read(second, name)
    assert read(first, "0") + read(first, "1") == bytes(100) + bytes([1]) * 100
    assert sorted(failing[1]) == ["0", "1", "2", "3", "4", "5", "6"]


def test_a_cache_that_cannot_be_written_is_named(bucket, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("IGDET_CACHE", str(tmp_path / "file"))
    with pytest.raises(StoreError, match=r"file/stores/.* cannot keep 1: .*; set IGDET_CACHE to a folder"):
        read(CachedStore(ROOT, 1000), "1")
    assert bucket.waited == []


def test_sizes_are_those_of_the_list(bucket):
    assert CachedStore(ROOT, 0).sizes() == {str(number): 100 for number in range(10)}
    with pytest.raises(StoreError, match="memory://nobody is not there"):
        CachedStore("memory://nobody", 0).sizes()


class CutsOnce(SimpleHTTPRequestHandler):
    """Serves whole files, for it knows no ranges; ends the first answer of each file after half of it."""

    cut: set[str]

    def copyfile(self, source, outputfile):
        content = source.read()
        is_first = self.path not in self.cut
        self.cut.add(self.path)
        outputfile.write(content[: len(content) // 2] if is_first else content)


def test_a_web_server_without_ranges(bucket, tmp_path):
    pytest.importorskip("aiohttp", reason="the extra 'stores' is not installed")
    content = os.urandom(12 * 2**20)  # more than fsspec asks for at once
    (tmp_path / "site").mkdir()
    (tmp_path / "site/posts.tar").write_bytes(content)
    handler = partial(type("Handler", (CutsOnce,), {"cut": set()}), directory=str(tmp_path / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        store = CachedStore(f"http://127.0.0.1:{server.server_port}", 10**8)
        assert read(store, "posts.tar", len(content)) == content
        assert bucket.waited == [1]
        with pytest.raises(StoreError, match=r"none.tar is not there"):
            read(store, "none.tar")
        server.shutdown()


def test_addresses_are_told_from_paths():
    assert is_remote("s3://bucket/a") and is_remote("https://host/a")
    assert not is_remote("/mnt/a") and not is_remote("runs/s3:/a") and not is_remote("c:/x")
