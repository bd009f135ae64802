"""Rows of a CSV file, one after the other: what is no row is said, and the next line is a row again."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import _csv

MAX_LINE = 2**24  # characters of a line or a cell: what a mark that is never closed can take along
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# How a quotation mark is written within a quoted cell: twice (RFC 4180), behind a backslash, or no cell is quoted.
QUOTING: dict[str, dict[str, Any]] = {
    "doubled": {},
    "backslash": {"escapechar": "\\"},
    "none": {"quoting": csv.QUOTE_NONE},
}
_BLOCK_LINES = 2**12
_MAX_CELL_LINES = 5000  # a caption has 2,200 characters at most
_ROW_LIKE_LINES = 5  # within one cell: so many lines that all look like rows of the table are rows
_JUDGED_ROWS = 5000  # of a sample, to choose a dialect by

csv.field_size_limit(MAX_LINE)  # 131,072 is not enough for images in cells that nobody asks for


@dataclass(frozen=True)
class Dialect:
    """How cells are parted and quoted.

    Attributes:
        delimiter: what is between two cells.
        quoting: a key of `QUOTING`.
    """

    delimiter: str = ","
    quoting: str = "doubled"

    def __str__(self) -> str:
        return f"cells parted by {DELIMITERS.get(self.delimiter, repr(self.delimiter))}, quotation marks {self.quoting}"


def row_blocks(text: TextIO, dialect: Dialect) -> Iterator[list[list[str] | str]]:
    """Read the rows of a file, its header first, many at a time; empty lines are none.

    A row is wrong when its quotation marks do not pair up: one is never closed, text follows a closing one, or a cell
    spans lines that are rows themselves. Then its first line is the wrong row, and reading goes on with the next one.

    Args:
        text: lines that end in a line feed.
        dialect: of the file.

    Yields:
        the cells of each row, or what is wrong with it.
    """
    source = iter(partial(text.readline, MAX_LINE), "")
    lines = list(islice(source, _BLOCK_LINES))
    while lines:
        more = list(islice(source, _BLOCK_LINES))
        found, unfinished = _parsed(lines, dialect, is_end=not more)
        if found:
            yield found
        lines = unfinished + more


def _parsed(lines: list[str], dialect: Dialect, is_end: bool) -> tuple[list[list[str] | str], list[str]]:
    """Return the rows of lines, and the lines of a last row that is not whole."""
    found: list[list[str] | str] = []
    start = 0
    while start < len(lines):
        reader, first = _reader(lines[start:], dialect), start
        try:
            for cells in reader:
                end = first + reader.line_num
                if end - start > _ROW_LIKE_LINES + 1 and _hold_rows(lines[start + 1 : end - 1], dialect, len(cells)):
                    raise csv.Error("a cell holds lines that look like rows")
                if cells:
                    found.append(cells)
                start = end
        except csv.Error as error:
            if first + reader.line_num == len(lines) and not is_end and len(lines) - start < _MAX_CELL_LINES:
                return found, lines[start:]
            found.append(f"its quotation marks do not pair up ({error})")
            start += 1
    return found, []


def _reader(lines: list[str], dialect: Dialect) -> "_csv.Reader":
    return csv.reader(lines, strict=True, delimiter=dialect.delimiter, **QUOTING[dialect.quoting])


def _hold_rows(inner: Sequence[str], dialect: Dialect, cells: int) -> bool:
    """Whether all lines within a row have as many cells as the row; in prose, a comma has a space behind it."""
    delimiter = dialect.delimiter
    return cells > 1 and all(line.count(delimiter) == cells - 1 and delimiter + " " not in line for line in inner)


def detected_dialect(sample: TextIO, wanted: Sequence[str], given: Dialect) -> Dialect:
    """Choose the dialect in which a file has the wanted columns and the fewest wrong rows.

    Args:
        sample: the beginning of the file; can be read again from its start.
        wanted: names of columns.
        given: what is known already: "" as delimiter or quoting is to be found out. That nothing is quoted is taken
            for granted in files with tabs only.
    """
    delimiters = [given.delimiter] if given.delimiter else list(DELIMITERS)
    delimiter = max(delimiters, key=lambda delimiter: _columns_found(sample, wanted, Dialect(delimiter)))
    usual = list(QUOTING) if delimiter == "\t" else ["doubled", "backslash"]
    best, fewest = Dialect(delimiter, given.quoting or usual[0]), None
    for quoting in [given.quoting] if given.quoting else usual:
        wrong = _wrong_rows(sample, Dialect(delimiter, quoting))
        if fewest is None or wrong < fewest:
            best, fewest = Dialect(delimiter, quoting), wrong
        if not fewest:
            break
    return best


def _columns_found(sample: TextIO, wanted: Sequence[str], dialect: Dialect) -> tuple[int, int]:
    sample.seek(0)
    header = column_names(next(row_blocks(sample, dialect), [[]])[0])
    return len(set(wanted) & set(header)), len(header)


def _wrong_rows(sample: TextIO, dialect: Dialect) -> int:
    sample.seek(0)
    found = list(islice(chain.from_iterable(row_blocks(sample, dialect)), _JUDGED_ROWS))
    return sum(isinstance(row, str) or len(row) != len(found[0]) for row in found)


def column_names(header: Sequence[str] | str) -> list[str]:
    """Return the names in a header, without the white space that people leave around them; none in a wrong row."""
    return [] if isinstance(header, str) else [name.strip() for name in header]
