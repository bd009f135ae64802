"""Files that igdet can make again: where they are kept, and how processes that need the same make them once."""

import errno
import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write, sync

logger = logging.getLogger(__name__)
LOCK_NAME = ".lock"  # in the folder; stays there
BUSY = "another run is at work there; wait for its end, or use another folder"
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # some network file systems have none
_MADE, _MAKING, _FINGERPRINT = "made", "making", "fingerprint.txt"


class LockError(UserError):
    """A folder that another process works in."""


@contextmanager
def locked(folder: Path, wait: bool = False, inherited: bool = True, busy: str = BUSY) -> Iterator[int]:
    """Keep other processes that ask for the lock out of a folder; yields the lock's file descriptor.

    Args:
        folder: is made when missing.
        wait: whether to wait for another process that has the lock.
        inherited: whether processes that are forked meanwhile hold the lock too, and keep it when this one is killed.
        busy: what to say of a folder in which another process is at work.

    Raises:
        LockError: another process has it, and `wait` is not set.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_NAME).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if not wait:
                raise LockError(f"{folder}: {busy}") from error
            logger.info(f"{folder}: another process is at work there; waiting for its end")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            logger.warning(f"{folder}: its file system has no locks: see to it that one process works there")
        if not inherited:
            os.register_at_fork(after_in_child=file.close)
        yield file.fileno()


class CacheError(UserError):
    """A cache that cannot be written."""


def cache_folder() -> Path:
    """Where downloads and prepared data are kept: $IGDET_CACHE, or ~/.cache/igdet."""
    return Path(os.environ.get("IGDET_CACHE") or "~/.cache/igdet").expanduser()


def made_once(folder: Path, fingerprint: str, make: Callable[[Path], None]) -> Path:
    """Return a folder of prepared files; the first process that asks makes it, the others wait for it.

    The files appear together or not at all. What was made for another fingerprint, or was not finished, is removed.

    Args:
        folder: is made when missing.
        fingerprint: of everything that decides on the files.
        make: writes them into an empty folder.

    Returns:
        Where the files are, within `folder`.

    Raises:
        CacheError: the folder cannot be written, for instance because its disk is full.
    """
    made, making = folder / _MADE, folder / _MAKING
    if _fingerprint(made) == fingerprint:  # without the lock: a cache may be shared read-only
        return made
    try:
        with locked(folder, wait=True):
            if _fingerprint(made) != fingerprint:
                shutil.rmtree(making, ignore_errors=True)  # left by a process that was killed
                _make(making, fingerprint, make)
                shutil.rmtree(made, ignore_errors=True)
                making.rename(made)
    except OSError as error:
        raise CacheError(f"{folder}: {error}; set IGDET_CACHE to a folder that can be written and has room") from error
    return made


def _make(making: Path, fingerprint: str, make: Callable[[Path], None]) -> None:
    making.mkdir()
    try:
        make(making)
        for path in making.iterdir():
            sync(path)
        with atomic_write(making / _FINGERPRINT, "w") as file:
            file.write(fingerprint)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise


def _fingerprint(made: Path) -> str | None:
    try:
        return (made / _FINGERPRINT).read_text(encoding="utf-8")
    except OSError:
        return None


def torch_hub_file(url: str) -> Path | None:
    """Where PyTorch's cache has a published file; None where it is not there."""
    parent = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "torch")
    path = Path(parent, "hub", "checkpoints", Path(url).name).expanduser()
    return path if path.is_file() else None
