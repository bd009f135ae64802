"""Text files that name pictures and classes, line by line."""

from pathlib import Path

from igdet.data.errors import DatasetError


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
