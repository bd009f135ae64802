"""Tables as CSV: exact ones that igdet reads again, and exports for people, whose programs run formulas."""

import csv
import io
from collections.abc import Iterable
from os import PathLike

from igdet.utils.files import atomic_write

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs a cell that begins so, whatever it came from


def write_csv(path: str | PathLike, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table with a line of column names, atomically; a reader gets every cell back as it is."""
    with atomic_write(path, "w") as file:
        _write(file, columns, rows)


def csv_export(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Give a table for a spreadsheet: texts that it would take for formulas have an apostrophe before them."""
    text = io.StringIO()
    _write(text, columns, (map(_harmless, row) for row in rows))
    return text.getvalue()


def write_csv_export(path: str | PathLike, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write what `csv_export` gives, atomically."""
    with atomic_write(path, "w") as file:
        file.write(csv_export(columns, rows))


def _write(file: io.TextIOBase, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def _harmless(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    line = cell.replace("\r", " ")  # which the writer does not quote, and a spreadsheet begins a row at
    return f"'{line}" if cell.startswith(_FORMULA) else line
