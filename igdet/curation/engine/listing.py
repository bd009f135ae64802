"""Files of this machine, of web servers and of stores: found by patterns, and opened."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.request import urlopen

import daft
from daft.exceptions import DaftCoreException
from pyarrow.fs import FileSystem

from igdet.curation.engine.errors import NO_MATCH, EngineError, in_one_line
from igdet.formats.posts.text_table import open_local

_WEB_SECONDS = 60  # without a byte from a web server


class SourceFile(NamedTuple):
    """A file to read.

    Attributes:
        path: absolute local path, links resolved, or URL.
        size: bytes; 0 when the server does not say.
    """

    path: str
    size: int


def open_url(path: str) -> BinaryIO:
    """Open a file of this machine, of a web server or of a store; not by Daft, which cannot within a task of its own.

    Raises:
        OSError: it cannot be read.
    """
    if path.startswith(("http://", "https://")):
        return urlopen(path, timeout=_WEB_SECONDS)
    if "://" not in path:
        return open_local(path)
    store, name = FileSystem.from_uri(path)
    return store.open_input_stream(name)


def list_files(patterns: Sequence[str]) -> list[SourceFile]:
    """Find the files that paths, folders or patterns mean, sorted, each once.

    Raises:
        EngineError: one means no file, or a store cannot be reached.
    """
    found: dict[str, int] = {}
    for pattern in patterns:
        files = _listed(pattern)
        if not files:
            raise EngineError(
                f"{pattern}: there is no such file; expected a file, a folder or a pattern such as a/*.csv"
            )
        found.update(files)
    return [SourceFile(path, size) for path, size in sorted(found.items())]


def _listed(pattern: str) -> dict[str, int]:
    if pattern.startswith(("http://", "https://")):
        return {pattern: 0}  # a web server lists no folders
    # Daft finds nothing for a relative pattern without a folder.
    absolute = pattern if "://" in pattern else str(Path(pattern).expanduser().absolute())
    try:
        table = daft.from_glob_path(absolute).to_pydict()
    except FileNotFoundError:
        return {}
    except DaftCoreException as error:
        if "://" in pattern and NO_MATCH not in str(error):
            raise EngineError(f"{pattern}: cannot be listed: {in_one_line(error)}") from error
        return {}
    return {_resolved(path): size or 0 for path, size in zip(table["path"], table["size"], strict=True)}


def _resolved(path: str) -> str:
    """Return a local path in the one form that PostReader can cut the root from; leave a URL alone."""
    local = path.removeprefix("file://")
    return local if "://" in local else str(Path(local).resolve())
