"""Getting published weights: once, verified by their hash, then from the cache."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from iopath.common.file_io import file_lock

from igdet.checkpoint.http import discard, finish, transfer
from igdet.checkpoint.reading import read_payload
from igdet.formats.catalog import PREFIX, WEIGHTS, Weights
from igdet.formats.errors import UnreadableWeights, WeightsError
from igdet.utils.files import atomic_write
from igdet.utils.hashing import hash_file
from igdet.utils.messages import did_you_mean

logger = logging.getLogger(__name__)


class Digest(NamedTuple):
    """The hash that a file must have: its algorithm and its first hexadecimal digits."""

    algorithm: str
    digits: str

    def __str__(self) -> str:
        return f"{self.algorithm} {self.digits}"

    def check(self, path: Path, fix: str) -> None:
        """Read a file and compare.

        Args:
            path: the file.
            fix: what its user can do when it is another.

        Raises:
            WeightsError: it is another, naming both hashes.
        """
        found = hash_file(path, self.algorithm)
        if not found.startswith(self.digits):
            found = found[: max(8, len(self.digits))]
            raise WeightsError(f"{path}: its {self.algorithm} is {found}, expected {self.digits}. {fix}")


def read_digest(path: Path) -> Digest | None:
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


def find_weights(path: str) -> Weights:
    """Look a name of the catalog up.

    Args:
        path: such as "igdet://ig_resnext101_32x8d", or the name alone.

    Raises:
        WeightsError: there is no such name.
    """
    name = path.removeprefix(PREFIX)
    if name not in WEIGHTS:
        hint = did_you_mean(name, WEIGHTS) or f"; there are {', '.join(WEIGHTS)}"
        raise WeightsError(f"{path}: no such published weights{hint}")
    return WEIGHTS[name]


def fetch(weights: Weights) -> Path:
    """Return the local file of published weights, with its hash checked; the first call downloads it.

    Every call logs their licence.

    Args:
        weights: an entry of the catalog.

    Returns:
        The file in the cache.

    Raises:
        WeightsError: it could not be downloaded whole, is not the file that was published, a folder is in its place, or
            the cache cannot be written; a file that is in a read-only cache is used.
    """
    path, publication = weights.cached_path, weights.publication
    logger.info(f"Licence of the weights {weights.file_name}: {publication.licence} ({publication.source})")
    if path.is_dir():
        raise WeightsError(f"{path} is a folder, where the file of {weights.url} belongs: move it away")
    if is_recorded(path):  # without the lock: a cache may be shared read-only
        return path
    if path.is_file():  # put there by hand, or touched since
        _check(weights, path, f"Remove it to download it again, or put the right file there: {weights.url}")
    else:
        check_allowed(weights)
        with _writing(weights, path), file_lock(str(path)):  # the processes of a run ask at the same time
            if not path.is_file():
                _download(weights, path)
    write_record(path)
    return path


def _download(weights: Weights, path: Path) -> None:
    logger.info(f"Downloading {weights.url} to {path}")
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    try:
        transfer(weights.url, part)
    except WeightsError as error:
        raise WeightsError(f"{error}, or {_by_hand(weights, path)}") from error
    try:
        _check(weights, part, f"What came from {weights.url} is removed; try again, or {_by_hand(weights, path)}", path)
    except WeightsError:
        discard(part)
        raise
    finish(part, path)


def _check(weights: Weights, path: Path, fix: str, final: Path | None = None) -> None:
    """Compare a file with the published hash and with that of an earlier download; without any hash, try to read it."""
    recorded = read_digest(final or path)
    if weights.digits:
        Digest(weights.publication.algorithm, weights.digits).check(path, fix)
    if recorded:
        recorded.check(path, f"It has changed since {record_of(final or path)} was written. {fix}")
    if not weights.digits and not recorded:
        _check_readable(path, fix)


def _check_readable(path: Path, fix: str) -> None:
    try:
        read_payload(path)
    except UnreadableWeights as error:
        raise WeightsError(f"{error} {fix}") from error


def check_allowed(weights: Weights) -> None:
    """Refuse weights that would have to be downloaded where that is forbidden.

    Raises:
        WeightsError: they are not in the cache, and IGDET_OFFLINE is set.
    """
    path = weights.cached_path
    if is_offline() and not path.is_file():
        raise WeightsError(f"{path} is not there, and IGDET_OFFLINE forbids downloads: {_by_hand(weights, path)}")


def is_offline() -> bool:
    """Whether IGDET_OFFLINE forbids downloads."""
    return os.environ.get("IGDET_OFFLINE", "0") not in ("", "0")


def _by_hand(weights: Weights, path: Path) -> str:
    digits = f"{weights.publication.algorithm} {weights.digits}..." if weights.digits else "hash not published"
    return f"download {weights.url} ({digits}) elsewhere and put it at {path}"


@contextmanager
def _writing(weights: Weights, path: Path) -> Iterator[None]:
    """Make the folder; say what is wrong with a cache that cannot be written, before anything is transferred."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise WeightsError(
            f"{path.parent} cannot be written: {error}. Set IGDET_CACHE to another folder, or {_by_hand(weights, path)}"
        ) from error
