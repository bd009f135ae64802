"""Table entries: numbers, shares, and hashtags, which nobody has checked."""

from collections.abc import Iterable

from markupsafe import Markup

from igdet.utils.table import EMPTY, Entry

MOST_TAGS = 12  # in one entry


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


def hashtag(tag: str) -> Entry:
    """A hashtag or a name made of one; its direction of writing stays its own."""
    return Entry(_isolated(tag))


def hashtags(counted: Iterable[tuple[str, int]]) -> Entry:
    """Hashtags with their counts, the first `MOST_TAGS` of them."""
    counted = list(counted)
    shown = [Markup('<span class="chip">{} <small>{:,}</small></span>').format(_isolated(t), n) for t, n in counted]
    more = [f"and {len(counted) - MOST_TAGS:,} more"] if len(counted) > MOST_TAGS else []
    return Entry(Markup(" ").join([*shown[:MOST_TAGS], *more]), "chips")


def _isolated(tag: str) -> Markup:
    return Markup("<bdi>{}</bdi>").format(tag)
