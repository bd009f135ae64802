"""Lists of classes: a class's id is its position. From a text file, or by name from what timm ships."""

import re

from igdet.data.errors import DatasetError
from igdet.data.text_lines import read_lines
from igdet.utils.imagenet_lists import synsets
from igdet.utils.shown import shown

SHIPPED = "timm:"  # `timm:imagenet-1k` is a list of synsets by name
_NUMBERED = re.compile(r"(\S.*?)\s+(\d+)")


def is_file(source: str) -> bool:
    """Whether a source of classes is a file, which must exist, rather than a shipped list or nothing."""
    return bool(source) and not source.startswith(SHIPPED)


def read_class_list(source: str) -> list[str]:
    """Read the names of classes, in order.

    Args:
        source: a file with one name a line, or "name id" in any order with the ids 0, 1, 2, ...; or `timm:imagenet-1k`
            or another list of `igdet.utils.imagenet_lists`.

    Raises:
        DatasetError: the file is no text, or names no class, or one twice.
        UserError: there is no such shipped list, or timm is not there.
    """
    if source.startswith(SHIPPED):
        return synsets(source.removeprefix(SHIPPED))
    lines = [line.strip() for line in read_lines(source)]
    names = _in_order([line for line in lines if line])
    if not names or len(set(names)) != len(names):
        twice = next((f"; {shown(name)} stands twice" for name in names if names.count(name) > 1), "")
        raise DatasetError(f"{source} must name each class once, and at least one; it names {len(names)}{twice}")
    return names


def _in_order(lines: list[str]) -> list[str]:
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    if lines and all(numbered) and sorted(int(match[2]) for match in numbered) == list(range(len(lines))):
        return [match[1] for match in sorted(numbered, key=lambda match: int(match[2]))]
    return lines
