"""Self-contained HTML pages that share one look."""

from datetime import datetime, timezone

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def render_page(package: str, template: str = "report.html.j2", **values) -> str:
    """Fill in a package's template, which extends page.html.j2 or cards.html.j2 of this package.

    Args:
        package: whose folder templates/ holds it; everything that it prints is escaped.
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
    )
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return environment.get_template(template).render(now=now, **values)
