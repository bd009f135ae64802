"""The page as a whole: complete, self-contained, honest about what is missing, and written in one go."""

import re
from html.parser import HTMLParser

import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.report import write_report

from .conftest import STAGES

POSTS_ONLY = ["What became of the posts", "How often labels are used, and how many a post has", "How fast it went"]
POSTS_ONLY += ["How it was made"]
WITH_LABELS = [POSTS_ONLY[0], "How hashtags got their labels", POSTS_ONLY[1], "Hashtags merged", *POSTS_ONLY[2:]]
ALL = [
    "What became of the posts",
    "How hashtags got their labels",
    "What became of the labels",
    "How often labels are used, and how many a post has",
    "Coverage of the target classes",
    "The most frequent labels",
    "Hashtags merged",
    "Resampling",
    "How fast it went",
    "Sample posts",
    "How it was made",
]
VOID = {"meta", "br", "img", "link"}


class Balance(HTMLParser):
    """Notes tags that are not closed in their order, and everything that could be loaded."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.loaded = [], [], []

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        links = [value for name, value in attributes if name in ("src", "href", "srcset", "data", "action")]
        self.loaded += [value for value in links if not value.startswith(("#", "data:"))]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.fixture
def page(finish, canonicaliser, tmp_path):
    """Writes the report when some stages are finished."""

    def write(*stages, title="Animals", **changes):
        finish(*stages, **changes)
        return write_report(tmp_path, title, canonicaliser).read_text(encoding="utf-8")

    return write


@pytest.mark.parametrize(
    ("count", "headings", "warning"),
    [
        (0, ["How it was made"], "Not finished: the posts and their labels and the vocabulary."),
        (1, POSTS_ONLY, "Not finished: their labels and the vocabulary."),
        (2, WITH_LABELS, "Not finished: the vocabulary."),
        (3, ALL, ""),
        (5, ALL, ""),
    ],
)
def test_every_state(page, count, headings, warning):
    html = page(*STAGES[:count])
    assert re.findall("<h2>(.*?)</h2>", html) == headings
    assert re.findall('<p class="warning">(.*?[.]) ', html) == ([warning] if warning else [])
    assert ("No stage has finished yet." in html) == (count == 0)
    balance = Balance()
    balance.feed(html)
    assert (balance.open, balance.wrong, balance.loaded) == ([], [], [])


def test_page_needs_nothing_else(page):
    html = page(*STAGES)
    assert not re.search(r"https?:|@import|<script|<link|<iframe|url\((?!#)", html)


def test_sections_that_have_nothing_to_say_are_left_out(page):
    html = page("posts", "labels", "vocabulary", tables={"vocabulary/targets.parquet": None})
    assert "Coverage of the target classes" not in html


def test_the_title_is_escaped(page):
    html = page(title="<b>Dogs</b> & cats")
    assert "<h1>&lt;b&gt;Dogs&lt;/b&gt; &amp; cats</h1>" in html


def test_the_report_takes_the_place_of_an_earlier_one(page, tmp_path):
    assert "Not finished" in page("posts")
    assert "Not finished" not in page(*STAGES)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["report.html"]


def test_the_earlier_report_stays_when_the_disk_is_full(page, canonicaliser, tmp_path, monkeypatch):
    earlier = page("posts")

    def full(handle):
        raise OSError("no space left")

    monkeypatch.setattr("igdet.utils.files.os.fsync", full)
    with pytest.raises(OSError, match="no space left"):
        write_report(tmp_path, "Cats", canonicaliser)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == earlier
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["report.html"]
