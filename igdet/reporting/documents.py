"""Parts of a document that are written from the code's own tables, between two marker comments."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write

_BLOCK = re.compile(r"(?<=<!-- generated: )(?P<name>[\w-]+)(?P<how>[^\n]*-->)\n.*?(?=<!-- end -->)", re.DOTALL)


class MarkerError(UserError):
    """A document without a place for what is to be written into it."""


def with_blocks(text: str, blocks: Mapping[str, str]) -> str:
    """Write blocks in place of those of the same names.

    Args:
        text: a document with "<!-- generated: NAME ... -->" and "<!-- end -->" on lines of their own.
        blocks: Markdown by name; blocks of other names stay as they are.

    Returns:
        The document.
    """

    def fill(found: re.Match) -> str:
        body = blocks.get(found["name"])
        return found[0] if body is None else f"{found['name']}{found['how']}\n{body.strip()}\n"

    return _BLOCK.sub(fill, text)


def names_of_blocks(text: str) -> list[str]:
    """The names of a document's generated blocks, in order."""
    return [found["name"] for found in _BLOCK.finditer(text)]


def write_blocks(path: Path, blocks: Mapping[str, str]) -> None:
    """Renew a document's blocks.

    Args:
        path: the document.
        blocks: as `with_blocks` takes them.

    Raises:
        MarkerError: it has none of them.
    """
    text = read_document(path, blocks)
    with atomic_write(path, "w") as file:
        file.write(with_blocks(text, blocks))


def read_document(path: Path, names: Collection[str]) -> str:
    """Read a document that has a place for at least one of some blocks.

    Raises:
        MarkerError: it cannot be read, or has none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MarkerError(f"{path} cannot be read: {error}") from error
    if not set(names_of_blocks(text)) & set(names):
        raise MarkerError(f"{path}: no line '<!-- generated: NAME ... -->' with NAME one of {', '.join(names)}")
    return text
