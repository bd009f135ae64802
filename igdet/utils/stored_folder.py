"""A folder of an object store that is written to: whole files, each compared with what the store says it has."""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from igdet.utils.hashing import hash_file
from igdet.utils.object_stores import (
    WAITS,
    Answer,
    StoreError,
    connect,
    lacks_credentials,
    patiently,
    text_of,
)

SCHEMES = ("s3://", "gs://", "memory://")  # of the stores that take files
_WAITS = (*WAITS, 32, 64, 128)  # seconds: four minutes in all, for a run of days should outlast a store's bad ones
_PART = 50 << 20  # bytes of which a store is sent at a time; files below twice as many are sent whole


class Facts(NamedTuple):
    """A file as it was written.

    Attributes:
        bytes: its size.
        sha256: of its content.
    """

    bytes: int
    sha256: str


@dataclass(frozen=True)
class StoredFolder:
    """A folder of a store; can be sent to other processes.

    All methods raise a StoreError where the store cannot be used: at once where another attempt would not help, else
    after some, each of which the store's own client repeats by itself.

    Attributes:
        root: its address, such as "s3://bucket/posts".
        has_md5: whether the store's ETags are MD5 sums, so that they are compared; see `knows_md5`.
        waits: seconds before each further attempt.
    """

    root: str
    has_md5: bool = False
    waits: tuple[int, ...] = _WAITS

    def address(self, name: str) -> str:
        """Return the address of a file."""
        return f"{self.root}/{name}"

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each file that the store lists: none for a folder that is not there."""
        return self._patiently("", self._sizes)

    def size(self, name: str) -> int | None:
        """Return the bytes of a file; None where it is not there."""
        info = self._patiently(name, lambda: self._info(name))
        return info["size"] if info else None

    def read(self, name: str) -> bytes | None:
        """Return the content of a small file; None where it is not there."""
        return self._patiently(name, lambda: self._read(name))

    def create(self, name: str, content: bytes) -> None:
        """Write a small file, unless it is there: stores that can do so refuse to write it again."""
        self._patiently(name, lambda: self._create(name, content))

    def upload(self, path: Path) -> Facts:
        """Write a file under its own name; the store shows it when all of it is there.

        Args:
            path: on the local disk.

        Returns:
            What the store has now; its size, and its MD5 sum where the store says one, are compared with the file's.
        """
        facts = Facts(path.stat().st_size, hash_file(path))
        tag = _etag(path) if self.has_md5 else ""
        self._patiently(path.name, lambda: self._upload(path, facts.bytes, tag))
        return facts

    def is_beside(self, other: "StoredFolder") -> bool:
        """Whether both are folders of one kind of store, which copies between them by itself."""
        return self.root.partition("://")[0] == other.root.partition("://")[0]

    def copy(self, other: "StoredFolder", name: str, size: int) -> None:
        """Have the store copy a file of another folder under the same name, or remove it here where that has none.

        Args:
            other: `is_beside` this one.
            name: of the file.
            size: in bytes, which the copy must have; 0 for no file.
        """
        if size:
            self._patiently(name, lambda: self._copy(other, name, size))
        else:
            self.remove(name)

    def download(self, name: str, facts: Facts, path: Path) -> None:
        """Write a file of the folder, which must be as it was written, to the local disk."""
        self._patiently(name, lambda: self._download(name, facts, path))

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        if self.size(name) is not None:
            self._patiently(name, lambda: self._remove(name))

    def knows_md5(self, name: str) -> bool:
        """Whether the ETag of a small file is its MD5 sum; it is not in a bucket that is encrypted with keys of KMS."""
        info = self._patiently(name, lambda: self._info(name))
        return _tag_of(info or {}) == hashlib.md5(self.read(name) or b"").hexdigest()

    def _patiently(self, name: str, ask: Callable[[], Answer]) -> Answer:
        try:
            return patiently(ask, self.address(name), waits=self.waits)
        except Exception as error:
            raise self._error(name, error) from error

    def _sizes(self) -> dict[str, int]:
        files, root = connect(self.root)
        try:
            found = files.ls(root, detail=True, refresh=True)
        except FileNotFoundError:
            return {}
        return {file["name"].rpartition("/")[2]: file["size"] for file in found if file["type"] == "file"}

    def _info(self, name: str) -> dict | None:
        files, root = connect(self.root)
        files.invalidate_cache(root)
        try:
            return files.info(f"{root}/{name}")
        except FileNotFoundError:
            return None

    def _read(self, name: str) -> bytes | None:
        files, root = connect(self.root)
        try:
            return files.cat_file(f"{root}/{name}")
        except FileNotFoundError:
            return None

    def _create(self, name: str, content: bytes) -> None:
        files, root = connect(self.root)
        with suppress(FileExistsError):  # also by an earlier attempt, whose answer was lost
            files.pipe_file(f"{root}/{name}", content, mode="create")

    def _upload(self, path: Path, size: int, tag: str) -> None:
        files, root = connect(self.root)
        files.put_file(str(path), f"{root}/{path.name}", chunksize=_PART)
        found = self._of_size(path.name, size)
        if tag and _tag_of(found) != tag:
            raise OSError(f"the store has other bytes than were written: ETag {_tag_of(found)}, expected {tag}")

    def _of_size(self, name: str, size: int) -> dict:
        found = self._info(name) or {}
        if found.get("size") != size:
            raise OSError(f"the store has {found.get('size', 'none')} of the {size:,} bytes that were written")
        return found

    def _copy(self, other: "StoredFolder", name: str, size: int) -> None:
        files, root = connect(self.root)
        _, theirs = connect(other.root)
        try:
            files.cp_file(f"{theirs}/{name}", f"{root}/{name}")
        except FileNotFoundError as error:
            raise StoreError(f"{other.address(name)} cannot be copied to {self.root}: {text_of(error)}") from error
        self._of_size(name, size)

    def _download(self, name: str, facts: Facts, path: Path) -> None:
        files, root = connect(self.root)
        files.get_file(f"{root}/{name}", str(path))
        if (found := Facts(path.stat().st_size, hash_file(path))) != facts:
            raise OSError(f"{found.bytes:,} bytes with the SHA-256 {found.sha256} came, expected {facts.sha256}")

    def _remove(self, name: str) -> None:
        files, root = connect(self.root)
        with suppress(FileNotFoundError):  # by an earlier attempt, whose answer was lost
            files.rm_file(f"{root}/{name}")

    def _error(self, name: str, error: Exception) -> StoreError:
        if isinstance(error, StoreError):
            return error
        why = "there is no such bucket" if isinstance(error, FileNotFoundError) else text_of(error)
        remedy = " (are the credentials set, still good, and good for writing?)" if lacks_credentials(error) else ""
        return StoreError(
            f"{self.address(name).rstrip('/')} cannot be read or written: {why}{remedy}. The same command goes on "
            "where it stopped"
        )


def sizes_of(addresses: Iterable[str]) -> dict[str, int]:
    """Return the bytes of those files that their stores list; each folder is listed once.

    Raises:
        StoreError: a store cannot be read.
    """
    roots = sorted({address.rpartition("/")[0] for address in addresses})
    folders = map(StoredFolder, roots)
    return {folder.address(name): size for folder in folders for name, size in folder.sizes().items()}


def _tag_of(info: dict) -> str:
    return str(info.get("ETag", "")).strip('"')


def _etag(path: Path) -> str:
    """Return the ETag of S3: a file's MD5 sum; of one in parts, that of their sums, and how many they are."""
    if path.stat().st_size < 2 * _PART:
        return hash_file(path, "md5")
    with path.open("rb") as file:
        sums = [hashlib.md5(part).digest() for part in iter(lambda: file.read(_PART), b"")]
    return f"{hashlib.md5(b''.join(sums)).hexdigest()}-{len(sums)}"
