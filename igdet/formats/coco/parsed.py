"""Annotation files that a run reads again and again, parsed once: for loaders and evaluators.

Contents are kept as bytes, about as many as the file has. Copies of them are had in a fourth of the time that parsing
takes, nobody can change what others are given, and worker processes share one object's pages with the main process.
"""

import marshal
from pathlib import Path
from typing import cast

from igdet.formats.coco.reading import read_json

_Stamp = tuple[int, int] | None  # nanoseconds and bytes; None: there is no such file
_kept: dict[str, tuple[_Stamp, bytes]] = {}  # path -> (when it was written and its size, content)


def keep(path: str | Path, content: dict) -> None:
    """Keep what a JSON file holds, as it is there now."""
    _kept[str(path)] = _stamp(path), marshal.dumps(content)


def content_of(path: str | Path) -> dict:
    """Return a copy of what a JSON file holds; it is parsed where it is not kept, or was written since.

    Raises:
        CocoJsonError: there is no such file, or it is no JSON.
    """
    if str(path) in _kept:
        stamp, kept = _kept[str(path)]
        if stamp == _stamp(path):
            return marshal.loads(kept)
    content = cast(dict, read_json(path, "annotations as COCO's json"))
    keep(path, content)
    return content


def forget(path: str | Path) -> None:
    """Free the memory of a file that is not read again; nothing happens where it is not kept."""
    _kept.pop(str(path), None)


def _stamp(path: str | Path) -> _Stamp:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
