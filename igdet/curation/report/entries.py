"""What the page is made of: sections, and table entries of numbers, shares, labels and untrusted hashtags."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from igdet.reporting.tables import EMPTY, Entry, Table

MOST_CHIPS = 12  # in one entry


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


def number(value: float) -> Entry:
    """A number, rounded to a whole one, with thousands separated."""
    return Entry(f"{value:,.0f}", "number")


def share(part: float, whole: float) -> Entry:
    """A part of a whole in percent."""
    return Entry(percent(part, whole), "number")


def percent(part: float, whole: float) -> str:
    """Write a part of a whole in percent: "12.3%", and "<0.1%" for what would look like nothing."""
    if not whole:
        return EMPTY
    return "<0.1%" if 0 < part / whole < 0.0005 else f"{part / whole:.1%}"


def label_entry(label: str, name: str) -> Entry:
    """A label: its name, and its key where that is another, as a wnid is."""
    key = Markup(" <small>{}</small>").format(_isolated(label)) if label != name else ""
    return Entry(_isolated(name) + key)


def chips(counted: Iterable[tuple[str, str]]) -> Entry:
    """Hashtags, or other short texts, each with a number; the first `MOST_CHIPS` of them."""
    shown = [Markup('<span class="chip">{} <small>{}</small></span>').format(_isolated(t), n) for t, n in counted]
    more = [f"and {len(shown) - MOST_CHIPS:,} more"] if len(shown) > MOST_CHIPS else []
    return Entry(Markup(" ").join([*shown[:MOST_CHIPS], *more]), "chips")


def _isolated(text: str) -> Markup:
    """A text whose direction of writing stays its own."""
    return Markup("<bdi>{}</bdi>").format(text)
