"""Files that survive a crash: a reader sees the old file or the whole new one, and lines that are whole."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_UNFINISHED = ".unfinished"  # ends the name of a file that is being written


@contextmanager
def atomic_write(path: str | os.PathLike, mode: str = "wb") -> Iterator[IO]:
    """Open a temporary file that takes the place of `path` when the block ends without an error.

    Args:
        path: the file to write; its folder is made when missing.
        mode: "wb" for bytes, "w" for UTF-8 text.

    Raises:
        OSError: the disk is full or not writable; `path` is then as it was before, and nothing is left beside it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_UNFINISHED)
    try:
        with os.fdopen(handle, mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())  # mkstemp gives 0600: other readers must see the result
        Path(temporary).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
    sync(path.parent)


def remove_unfinished(folder: str | os.PathLike) -> None:
    """Remove what killed processes were writing in a folder and below; no process may be writing there now.

    Args:
        folder: need not exist.
    """
    for path in Path(folder).rglob(f".*{_UNFINISHED}"):
        path.unlink()


def read_json_lines(path: str | os.PathLike) -> list:
    """The values in a JSON-lines file, none where there is no file.

    A line that is cut short, by a crash or a writer at work, is left out.
    """
    if not Path(path).is_file():
        return []
    values = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        with suppress(json.JSONDecodeError):
            values.append(json.loads(line))
    return values


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sync(path: Path) -> None:
    """Make a file's content, or a rename within a folder, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
