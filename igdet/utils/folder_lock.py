"""A lock on a folder, which ends with the process that holds it, however that ends."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from igdet.utils.errors import UserError

logger = logging.getLogger(__name__)

LOCK_NAME = ".lock"  # in the folder; stays there


class LockError(UserError):
    """A folder that another process works in."""


@contextmanager
def locked(folder: Path, wait: bool = False) -> Iterator[None]:
    """Keep other processes that ask for the lock out of a folder.

    Args:
        folder: is made when missing.
        wait: whether to wait for another process that has the lock.

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
        yield
