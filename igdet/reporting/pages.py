"""Self-contained HTML pages that share one look, and pages of cards that are judged with the keyboard."""

import base64
import hashlib
import io
from collections.abc import Callable
from datetime import datetime, timezone
from importlib import resources
from os import PathLike
from pathlib import Path

import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from PIL import Image

from igdet.utils.files import atomic_write
from igdet.utils.messages import printable

IMAGE_SIDE = 256  # pixels of an image's longer side
_QUALITY = 80


def exact(text: str) -> Markup:
    """Write a text into an attribute that scripts read: the very text, which acts nowhere that the file is shown."""
    escaped = escape(text)
    return Markup("".join(c if printable(c) == c else f"&#{ord(c)};" for c in escaped))


def _shown(value: object) -> object:
    """Escape what a browser, or a terminal that shows the page's source, would obey: changes of direction, controls."""
    return type(value)(printable(value)) if isinstance(value, str) else value


def render_page(package: str, template: str = "report.html.j2", **values: object) -> str:
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
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("igdet.reporting")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["exact"] = exact
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return environment.get_template(template).render(now=now, **values)


def palette() -> str:
    """Return the CSS that sets the page's colours, of light and of dark, as `var(--ink)`."""
    css = resources.files("igdet.reporting").joinpath("templates/page.css").read_text(encoding="utf-8")
    return css[: css.index("* {")]


def write_card_pages(
    folder: str | PathLike,
    package: str,
    name: str,
    cards: Callable[[slice], list[dict]],
    count: int,
    size: int,
    **values: object,
) -> list[Path]:
    """Write the pages, in place of earlier ones.

    Args:
        folder: where the pages <name>-001.html, ... go.
        package: whose templates/<name>.html.j2 extends cards.html.j2.
        name: of the kind of page.
        cards: returns what the template shows of a slice of the cards; each has an "id".
        count: number of cards.
        size: cards on a page.
        values: what the template prints besides.

    Returns:
        The paths of the pages.
    """
    for page in Path(folder).glob(f"{name}-*.html"):
        page.unlink()
    starts = range(0, count, size)
    paths = [Path(folder) / f"{name}-{number:03d}.html" for number in range(1, len(starts) + 1)]
    for number, (start, path) in enumerate(zip(starts, paths, strict=True), start=1):
        shown = cards(slice(start, min(start + size, count)))
        listed = "\n".join(card["id"] for card in shown)
        page_id = hashlib.sha256(listed.encode()).hexdigest()[:16]  # a browser keeps the verdicts of a page under it
        text = render_page(
            package, f"{name}.html.j2", cards=shown, number=number, pages=len(starts), page_id=page_id, **values
        )
        with atomic_write(path, "w") as file:
            file.write(text)
    return paths


def jpeg_uri(pixels: np.ndarray) -> str:
    """The image, uint8 (H, W, 3) RGB, as a data URI, which a page without files needs."""
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(encoded.getvalue()).decode()
