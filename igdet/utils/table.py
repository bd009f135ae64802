"""A table, written once and shown as HTML, Markdown, LaTeX or plain text."""

from dataclasses import dataclass
from typing import NamedTuple

from tabulate import tabulate

from igdet.utils.shown import printable

EMPTY = "–"
_LATEX = {"±": r"$\pm$", "−": "$-$", "↓": r"$\downarrow$", EMPTY: "--"}


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
