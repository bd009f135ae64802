"""What the page is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from igdet.utils.table import Table


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        title: its heading.
        tables: tables, beside each other where there is room.
        charts: SVG elements, before the tables.
        note: a sentence or two below the heading.
    """

    title: str
    tables: Sequence[Table] = ()
    charts: Sequence[str] = ()
    note: str = ""
