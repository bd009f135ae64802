"""Self-contained HTML pages that share one look."""

from datetime import datetime, timezone

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from igdet.utils.shown import printable


def exact(text: str) -> Markup:
    """Write a text into an attribute that scripts read: the very text, which acts nowhere that the file is shown."""
    escaped = escape(text)
    return Markup("".join(c if printable(c) == c else f"&#{ord(c)};" for c in escaped))


def _shown(value: object) -> object:
    """Escape what a browser, or a terminal that shows the page's source, would obey: changes of direction, controls."""
    return type(value)(printable(value)) if isinstance(value, str) else value


def render_page(package: str, template: str = "report.html.j2", **values) -> str:
    """Fill in a package's template, which extends page.html.j2 or cards.html.j2 of this package.

    Args:
        package: whose folder templates/ holds it; everything that it prints is escaped, also for terminals.
        template: its name.
        values: what the template prints; page.html.j2 itself prints title, answer (sentences), facts ((number, what it
            counts) pairs) and warnings (sentences).

    Returns:
        The page.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("igdet.utils")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["exact"] = exact
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return environment.get_template(template).render(now=now, **values)
