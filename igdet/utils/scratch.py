"""Folders on the local disk for as long as a block lasts, also where its process is killed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from igdet.utils.cache import LockError, locked


@contextmanager
def scratch_folder(purpose: str) -> Iterator[Path]:
    """Yield an empty folder below $TMPDIR; it is removed at the end, with those of processes that were killed.

    $TMPDIR is on a local disk, whose locks tell whether a process is alive.

    Args:
        purpose: a word that names the user's folders for one purpose.

    Raises:
        OSError: $TMPDIR is full or not writable.
    """
    base = Path(tempfile.gettempdir(), f"igdet-{purpose}-{os.getuid()}")
    with ExitStack() as in_use:
        with locked(base, wait=True):  # one process at a time makes and locks a folder, or removes some
            _remove_unused(base)
            folder = Path(tempfile.mkdtemp(dir=base))
            in_use.enter_context(locked(folder))
        try:
            (folder / "files").mkdir()
            yield folder / "files"
        finally:
            with locked(base, wait=True):
                shutil.rmtree(folder, ignore_errors=True)


def _remove_unused(base: Path) -> None:
    for folder in base.glob("*/"):
        try:
            with locked(folder):
                shutil.rmtree(folder, ignore_errors=True)
        except LockError:
            pass  # a process works in it
