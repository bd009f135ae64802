"""Entries: rounding, shares, and text that nobody has checked."""

import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.report.entries import MOST_CHIPS, chips, label_entry, number, percent, share

from .conftest import ARABIC, EMOJI, HOSTILE

ESCAPED = "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>"


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (1, 3, "33.3%"),
        (3, 3, "100.0%"),
        (0, 3, "0.0%"),
        (5, 10_000, "0.1%"),
        (4, 10_000, "<0.1%"),
        (0, 0, "–"),
    ],
)
def test_percent(part, whole, text):
    assert percent(part, whole) == text
    assert share(part, whole) == (text, "number")


def test_number():
    assert number(1234567.8) == ("1,234,568", "number")


def test_a_label_has_its_key_where_that_is_another():
    assert label_entry("love", "love").text == "<bdi>love</bdi>"
    assert label_entry("n2", "dog").text == "<bdi>dog</bdi> <small><bdi>n2</bdi></small>"


@pytest.mark.parametrize(("tag", "html"), [(HOSTILE, ESCAPED), (ARABIC, "<bdi>قطة</bdi>"), (EMOJI, "<bdi>🐕</bdi>")])
def test_hashtags_are_escaped_and_keep_their_direction(tag, html):
    assert label_entry(tag, tag).text == html
    assert label_entry(tag, "dog").text == f"<bdi>dog</bdi> <small>{html}</small>"
    assert chips([(tag, "5")]).text == f'<span class="chip">{html} <small>5</small></span>'


def test_long_lists_of_chips_are_cut():
    full, cut = (chips([("a", "1")] * count).text for count in (MOST_CHIPS, MOST_CHIPS + 1000))
    assert full.count("<bdi>a</bdi>") == cut.count("<bdi>a</bdi>") == MOST_CHIPS
    assert "more" not in full
    assert cut.endswith(" and 1,000 more")
    assert chips([]).text == ""
