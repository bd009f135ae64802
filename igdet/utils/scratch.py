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

    Args:
        purpose: a word that names the user's folders for one purpose.

    Raises:
        OSError: $TMPDIR is full or not writable.
    """
    base = Path(tempfile.gettempdir(), f"igdet-{purpose}-{os.getuid()}")
    with ExitStack() as stack:
        with locked(base, wait=True):
            for left in base.glob("*/"):
                _remove_unused(left)
            folder = Path(tempfile.mkdtemp(dir=base))
            stack.enter_context(locked(folder))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / "files").mkdir()
        yield folder / "files"


def _remove_unused(folder: Path) -> None:
    try:
        with locked(folder):
            shutil.rmtree(folder, ignore_errors=True)
    except LockError:
        pass  # a process works in it
