"""A lock on a folder, which ends with the process that holds it, however that ends."""

import errno
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from igdet.utils.errors import UserError

logger = logging.getLogger(__name__)

LOCK_NAME = ".lock"  # in the folder; stays there
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # some network file systems have none


class LockError(UserError):
    """A folder that another process works in."""


@contextmanager
def locked(folder: Path, wait: bool = False, inherited: bool = True) -> Iterator[None]:
    """Keep other processes that ask for the lock out of a folder.

    Args:
        folder: is made when missing.
        wait: whether to wait for another process that has the lock.
        inherited: whether processes that are forked meanwhile hold the lock too, and keep it when this one is killed.

    Raises:
        LockError: another process has it, and `wait` is not set.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_NAME).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if not wait:
                raise LockError(
                    f"{folder}: another run is at work there; wait for its end, or use another folder"
                ) from error
            logger.info("%s: another process is at work there; waiting for its end", folder)
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            logger.warning("%s: its file system has no locks: see to it that one process works there", folder)
        if not inherited:
            os.register_at_fork(after_in_child=file.close)
        yield
