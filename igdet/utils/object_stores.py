"""Files of an object store, a bounded number of bytes of them kept on the local disk."""

import errno
import fcntl
import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from igdet.utils.cache import NO_LOCKS, cache_folder
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write

logger = logging.getLogger(__name__)

SCHEMES = ("s3://", "gs://", "hf://", "https://", "http://", "memory://")  # what the stores' addresses begin with
WAITS = (1, 2, 4, 8, 16)  # seconds before each further attempt: stores throttle, and say so for some seconds
_ABANDONED = 3600  # seconds after which a file that is not finished is what a killed process has left
THREADS = "store"  # the name of those that fetch in the background
_CHUNK = 1 << 20  # bytes
# As one stream: read in ranges, as fsspec does otherwise, a web server that has none gives nothing.
_WHOLE = {"block_size": 0}
_AHEAD = 4  # files that a process fetches at the same time before they are asked for


class StoreError(UserError):
    """A file that a store does not give or take."""


def is_remote(path: str) -> bool:
    """Whether a path is the address of a store, not a path of this machine."""
    return path.startswith(SCHEMES)


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
# Another attempt would not help.
_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, StoreError)
_NO_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError")  # of clients, by name
Answer = TypeVar("Answer")


def connect(root: str) -> tuple[Any, str]:
    """Return a store's client in this process, and the address of one of its folders as the client has it.

    Raises:
        StoreError: the client is not installed.
    """
    try:
        import fsspec

        return fsspec.core.url_to_fs(root)
    except ImportError as error:
        raise StoreError(f'{root} cannot be read: {error} (pip install "igdet[stores]")') from error


def patiently(
    ask: Callable[[], Answer],
    place: str,
    is_local: Callable[[Exception], bool] = lambda error: False,
    waits: Sequence[int] = WAITS,
) -> Answer:
    """Ask a store, again after a while where that may help; what the last attempt raises is raised.

    Args:
        ask: the attempt.
        place: what it is about, for the log.
        is_local: whether an error is this machine's, which another attempt would not fix.
        waits: seconds before each further attempt.
    """
    for seconds in waits:
        try:
            return ask()
        except Exception as error:  # whatever the stores' clients raise: throttled, cut off, too late
            if isinstance(error, _FINAL) or lacks_credentials(error) or is_local(error):
                raise
            logger.warning(f"{place}: {text_of(error)}; again in {seconds} s")
            time.sleep(seconds)
    return ask()


def lacks_credentials(error: Exception) -> bool:
    """Whether a store refuses who asks, or its client has found nothing to show."""
    return isinstance(error, PermissionError) or type(error).__name__ in _NO_CREDENTIALS


def text_of(error: Exception) -> str:
    """Return the message of an error; its type where it has none."""
    return str(error) or type(error).__name__


class CachedStore:
    """A folder of an object store; files are fetched when they are opened, and the least used ones make room.

    Processes of one machine share what is fetched. A file that somebody has open stays.

    Args:
        root: the folder's address, such as "s3://bucket/posts/train".
        limit: bytes of all its versions on the local disk, above which files are removed; open ones can exceed it.
        version: of the folder's content; files of another one are not mistaken for those of this one.
    """

    def __init__(self, root: str, limit: int, version: str = ""):
        self.root = root.rstrip("/")
        self.limit = limit
        self._base = cache_folder() / "stores" / hashlib.sha256(self.root.encode()).hexdigest()[:16]
        self.folder = self._base / version
        self._ahead = threading.BoundedSemaphore(_AHEAD)
        self._coming: dict[str, Future] = {}

    def open(self, name: str, size: int) -> IO[bytes]:
        """Open a file of the folder.

        Args:
            name: below the root.
            size: in bytes, that it must have.

        Raises:
            StoreError: it cannot be fetched or kept, or has another size.
        """
        coming = self._coming.pop(name, None)
        return coming.result() if coming else self._open(name, size)

    def _open(self, name: str, size: int) -> IO[bytes]:
        while True:
            path = self.fetch(name, size)
            with suppress(FileNotFoundError):  # removed by another process in between
                file = path.open("rb")
                with _without_locks():
                    fcntl.flock(file, fcntl.LOCK_SH)  # whoever makes room leaves it
                if path.exists():
                    return file
                file.close()

    def fetch(self, name: str, size: int | None = None) -> Path:
        """Return where a file lies on the local disk; it is fetched anew where its size is not known.

        It may be gone when another file needs its room. Arguments and errors are those of `open`.
        """
        path = self.folder / name
        with suppress(FileNotFoundError, NotADirectoryError):
            if size == path.stat().st_size:
                os.utime(path)  # used now
                return path
        self._patiently(name, lambda: self._download(name, path, size))
        return path

    def expect(self, sizes: Mapping[str, int]) -> None:
        """Open files in the background, where there is room for them; errors show when they are asked for.

        Args:
            sizes: name -> bytes.
        """
        if sum(sizes.values()) > self.limit // 2:  # the other half is for those that are open
            return
        for name in sizes.keys() - self._coming.keys():
            coming: Future = Future()
            self._coming[name] = coming
            # Not by a pool, for whose threads a process waits at its end.
            fetch = partial(self._open_for, coming, name, sizes[name])
            threading.Thread(target=fetch, name=THREADS, daemon=True).start()

    def _open_for(self, coming: Future, name: str, size: int) -> None:
        with self._ahead:
            try:
                coming.set_result(self._open(name, size))
            except BaseException as error:
                coming.set_exception(error)

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each file that the store lists; empty where it lists nothing, such as a web server.

        Raises:
            StoreError: the store refuses.
        """
        if self._is_web:
            return {}
        found = self._patiently("", self._list)
        return {entry["name"].rpartition("/")[2]: entry["size"] for entry in found if entry.get("size") is not None}

    @property
    def _is_web(self) -> bool:
        return self.root.startswith("http")

    def _list(self) -> Sequence[Mapping]:
        files, root = connect(self.root)
        return files.ls(root, detail=True, refresh=True)

    def _patiently(self, name: str, ask: Callable[[], Answer]) -> Answer:
        try:
            return patiently(ask, self._place(name), self._is_local)
        except Exception as error:
            raise self._error(name, error) from error

    def _download(self, name: str, path: Path, size: int | None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._make_room(size or 0)
        files, root = connect(self.root)
        options = _WHOLE if self._is_web else {}
        with files.open(f"{root}/{name}", "rb", **options) as source, atomic_write(path) as target:
            copied = 0
            while chunk := source.read(_CHUNK):
                copied += target.write(chunk)
            if size not in (None, copied):
                raise StoreError(f"it has {copied:,} bytes, expected {size:,}: it was written again, or cut short")

    def _make_room(self, size: int) -> None:
        """Remove files that nobody has open, the least used ones first, until there is room for some more bytes."""
        files = sorted(self._files())
        total = sum(taken for _, taken, _ in files) + size
        for last_used, taken, path in files:
            is_coming = path.name.startswith(".") and time.time() - last_used < _ABANDONED
            if total <= self.limit or is_coming:
                continue
            # Opened for writing, for NFS asks for it: where there are no locks at all, nothing tells open files.
            with suppress(OSError), path.open("rb+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
                total -= taken

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """Yield when each file was used last, its bytes, and its path."""
        for path in self._base.rglob("*"):
            with suppress(FileNotFoundError):
                found = path.stat()
                if path.is_file():
                    yield found.st_mtime, found.st_size, path

    def _place(self, name: str) -> str:
        return f"{self.root}/{name}".rstrip("/")

    def _is_local(self, error: Exception) -> bool:
        """Whether the local disk is at fault."""
        if not isinstance(error, OSError):
            return False
        return error.errno in FULL or str(error.filename or "").startswith(str(self._base))

    def _error(self, name: str, error: Exception) -> StoreError:
        if self._is_local(error):
            return StoreError(
                f"{self.folder} cannot keep {name}: {error}; set IGDET_CACHE to a folder that can be written and has "
                "room, or lower CACHE_GB"
            )
        why = "is not there" if isinstance(error, FileNotFoundError) else f"cannot be fetched: {text_of(error)}"
        remedy = "; are the credentials still good?" if lacks_credentials(error) else ""
        return StoreError(f"{self._place(name)} {why}{remedy}. A run that has begun goes on exactly, with --resume")

    def __getstate__(self) -> dict:
        return {"root": self.root, "limit": self.limit, "_base": self._base, "folder": self.folder}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Threads are of one process.
        self.__dict__ |= state | {"_ahead": threading.BoundedSemaphore(_AHEAD), "_coming": {}}


@contextmanager
def _without_locks() -> Iterator[None]:
    """Go on where a file system has no locks."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
