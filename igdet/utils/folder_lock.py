"""A lock on a folder, which ends with the process that holds it, however that ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from igdet.utils.errors import UserError

LOCK_NAME = ".lock"  # in the folder; stays there


class LockError(UserError):
    """A folder that another process works in."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes that ask for the lock out of a folder.

    Args:
        folder: is made when missing.

    Raises:
        LockError: another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_NAME).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockError(
                f"{folder}: another run is at work there; wait for its end, or use another folder"
            ) from error
        yield
