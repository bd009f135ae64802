"""A table, written once and shown as HTML, Markdown, LaTeX or plain text; tables as CSV files."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from typing import IO, NamedTuple

from tabulate import tabulate

from igdet.utils.files import atomic_write
from igdet.utils.messages import printable

EMPTY = "–"
_LATEX = {"±": r"$\pm$", "−": "$-$", "↓": r"$\downarrow$", EMPTY: "--"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs a cell that begins so, whatever it came from


class Entry(NamedTuple):
    """A table entry: its text and how the HTML marks it ("", "best" or a verdict)."""

    text: str
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """A table with a title, a header, rows that begin with their name, and a note."""

    title: str
    header: list[str]
    rows: list[list[Entry]]
    note: str = ""

    def markdown(self) -> str:
        """The table as a Markdown section."""
        heading = f"## {self.title}" if self.title else ""
        return "\n\n".join(part for part in (heading, self._tabulate("github"), self.note) if part)

    def latex(self) -> str:
        """The table as a LaTeX tabular in the booktabs style."""
        text = self._tabulate("latex_booktabs")
        for sign, command in _LATEX.items():
            text = text.replace(sign, command)
        return text + "\n"

    def plain(self) -> str:
        """The table for a terminal."""
        return self._tabulate("simple")

    def _tabulate(self, style: str) -> str:
        rows = [[printable(entry.text) for entry in row] for row in self.rows]
        return tabulate(rows, [*map(printable, self.header)], tablefmt=style, disable_numparse=True)


def write_csv(path: str | PathLike, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table with a line of column names, atomically; a reader gets every cell back as it is."""
    with atomic_write(path, "w") as file:
        _write(file, columns, rows)


def csv_export(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table for a spreadsheet: texts that it would take for formulas have an apostrophe before them."""
    text = io.StringIO()
    _write(text, columns, (map(_harmless, row) for row in rows))
    return text.getvalue()


def write_csv_export(path: str | PathLike, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write what `csv_export` returns, atomically."""
    with atomic_write(path, "w") as file:
        file.write(csv_export(columns, rows))


def _write(file: IO[str], columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def _harmless(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    line = cell.replace("\r", " ")  # which the writer does not quote, and a spreadsheet begins a row at
    return f"'{line}" if cell.startswith(_FORMULA) else line
