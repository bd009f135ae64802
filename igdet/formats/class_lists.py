"""Lists of classes, from text files or by name from what timm ships: a class's id is its position; readable names."""

import re
from pathlib import Path

from igdet.formats.errors import DatasetError
from igdet.formats.imagenet_lists import lemmas, synsets
from igdet.utils.messages import shown

SHIPPED = "timm:"  # `timm:imagenet-1k` is a list of synsets by name
_NUMBERED = re.compile(r"(\S.*?)\s+(\d+)")
LEMMAS = "timm:lemmas"  # ImageNet's synsets, as timm ships them


def read_lines(path: str | Path) -> list[str]:
    """Read the lines of a UTF-8 file, with or without a byte order mark.

    Raises:
        DatasetError: it is something else.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DatasetError(f"{path}: line {line} is no UTF-8 text; save the file as UTF-8") from error


def is_file(source: str) -> bool:
    """Whether a source of classes is a file, which must exist, rather than a shipped list or nothing."""
    return bool(source) and not source.startswith(SHIPPED)


def read_class_list(source: str) -> list[str]:
    """Read the names of classes, in order.

    Args:
        source: a file with one name a line, or "name id" in any order with the ids 0, 1, 2, ...; or `timm:imagenet-1k`
            or another list of `igdet.formats.imagenet_lists`.

    Raises:
        DatasetError: the file is no text, or names no class, or one twice.
        UserError: there is no such shipped list, or timm is not there.
    """
    if source.startswith(SHIPPED):
        return synsets(source.removeprefix(SHIPPED))
    lines = [line.strip() for line in read_lines(source)]
    names = _in_order([line for line in lines if line])
    if not names or len(set(names)) != len(names):
        twice = next((f"; {shown(name)} is listed twice" for name in names if names.count(name) > 1), "")
        raise DatasetError(f"{source} must name each class once, and at least one; it names {len(names)}{twice}")
    return names


def _in_order(lines: list[str]) -> list[str]:
    numbered = [match for match in map(_NUMBERED.fullmatch, lines) if match]
    if lines and sorted(int(match[2]) for match in numbered) == list(range(len(lines))):
        return [match[1] for match in sorted(numbered, key=lambda match: int(match[2]))]
    return lines


def read_readable_names(path: str, classes: list[str]) -> list[str]:
    """Name each class.

    Args:
        path: a file of lines "folder, tab, name"; `timm:lemmas` for the words of ImageNet's synsets; "" for the
            folders' own names.
        classes: the class folders, by class id.

    Raises:
        DatasetError: a class has no line.
    """
    if not path:
        return classes
    names = lemmas() if path == LEMMAS else _read(path)
    missing = [folder for folder in classes if not names.get(folder)]
    if missing:
        raise DatasetError(f"{path} has no line 'folder, tab, name' for {len(missing)} classes: {missing[:5]}")
    return [names[folder] for folder in classes]


def _read(path: str) -> dict[str, str]:
    return {folder.strip(): name.strip() for folder, _, name in (line.partition("\t") for line in read_lines(path))}
