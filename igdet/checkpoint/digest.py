"""Hashes of files: what a file must have, and the record of what it had, in sha256sum's format beside it."""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from igdet.checkpoint.errors import WeightsError
from igdet.utils.files import atomic_write


class Digest(NamedTuple):
    """The hash that a file must have: its algorithm and its first hexadecimal digits."""

    algorithm: str
    digits: str

    def __str__(self) -> str:
        return f"{self.algorithm} {self.digits}"

    def check(self, path: Path, mend: str) -> None:
        """Read a file and compare.

        Args:
            path: the file.
            mend: what its user can do when it is another.

        Raises:
            WeightsError: it is another, naming both hashes.
        """
        found = hash_file(path, self.algorithm)
        if not found.startswith(self.digits):
            found = found[: max(8, len(self.digits))]
            raise WeightsError(f"{path}: its {self.algorithm} is {found}, expected {self.digits}. {mend}")


def hash_file(path: Path, algorithm: str = "sha256") -> str:
    """Give a file's hash in hexadecimal digits."""
    with path.open("rb") as file:
        digest = hashlib.new(algorithm)
        while chunk := file.read(1 << 22):
            digest.update(chunk)
    return digest.hexdigest()


def read_record(path: Path) -> Digest | None:
    """What was recorded of a file; None where nothing was."""
    with suppress(OSError, IndexError):
        return Digest("sha256", record_of(path).read_text(encoding="utf-8").split()[0])
    return None


def write_record(path: Path) -> None:
    """Record a file's hash, unless the folder is read-only."""
    with suppress(OSError), atomic_write(record_of(path), "w") as file:
        file.write(f"{hash_file(path)}  {path.name}\n")


def is_recorded(path: Path) -> bool:
    """Whether a file is there and has not been touched since its hash was recorded."""
    with suppress(OSError):
        return path.stat().st_ctime_ns <= record_of(path).stat().st_ctime_ns
    return False


def record_of(path: Path) -> Path:
    """Where a file's hash is recorded."""
    return path.with_name(f"{path.name}.sha256")
