"""Paths as people write them in configs and environment variables."""

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path, PurePath
from urllib.parse import unquote

# How a path is written elsewhere: by Windows, in URLs, by macOS or others, with a slash or the name of the root first.
_SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda path: path.replace("\\", "/"),
    unquote,
    lambda path: unicodedata.normalize("NFC", path),
    lambda path: unicodedata.normalize("NFD", path),
    str.strip,
    lambda path: path.lstrip("/"),
    lambda path: path.partition("/")[2],
)


def expanded(path: str | os.PathLike) -> Path:
    """Replace $VARIABLES, where they are set, and then a leading ~ by what they stand for."""
    return Path(os.path.expandvars(path)).expanduser()


def other_spelling(root: str | os.PathLike, path: str) -> str:
    r"""Return a hint at the file that was perhaps meant by a path which leads to none; "" where there is none either.

    Args:
        root: the folder that paths are relative to.
        path: such as a\b.jpg or a%20b.jpg, for a/b.jpg and "a b.jpg".
    """
    for spell in _SPELLINGS:
        other = spell(path)
        stays = ".." not in PurePath(other).parts and not PurePath(other).is_absolute()
        if other not in ("", path) and stays and os.path.isfile(os.path.join(root, other)):  # noqa: PTH113, PTH118 (NUL)
            return f"; {other} is there: write it so"
    return ""
