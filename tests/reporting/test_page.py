"""Pages: what they print acts neither in a browser nor in a terminal that shows the file."""

import pytest
from markupsafe import Markup

from igdet.reporting.pages import exact, render_page


@pytest.mark.parametrize(("title", "written"), [("<b>", "&lt;b&gt;"), ("a\x1b[2J\u202eb", "a\\x1b[2J\\u202eb")])
def test_what_is_printed_is_escaped(title, written):
    page = render_page("igdet.reporting", "page.html.j2", title=title, answer=[], facts=[], warnings=[])
    assert f"<title>{written}</title>" in page.replace("\n", "")


def test_an_attribute_keeps_the_very_text():
    assert exact('\u202e"\x1b') == Markup("&#8238;&#34;&#27;")
