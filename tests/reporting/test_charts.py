"""Charts: well-formed SVG that scales and takes its colours from the page."""

import re
from xml.etree import ElementTree

import pytest

from igdet.reporting.charts import Series, bar_chart, line_chart

LINES = [Series(0, [1, 2, 3], [1.0, 2.0, 4.0]), Series(9, [1, 2, 3], [2.0, 3.0, 5.0], [0.5, 0.5, 1.0])]


def test_chart_is_one_labelled_element():
    svg = line_chart("Box AP & more", ("IoU", "AP"), LINES)
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert root.get("aria-label") == "Box AP & more"
    assert root.get("width") is None
    assert root.get("viewBox")


def test_colours_are_the_page_s():
    svg = line_chart("t", ("x", "y"), LINES)
    assert all(f"var({name})" in svg for name in ("--ink", "--series-0", "--series-1"))  # style 9 begins again
    assert "#0b0b" not in svg


def test_same_numbers_same_chart():
    assert line_chart("t", ("x", "y"), LINES) == line_chart("t", ("x", "y"), LINES)


def test_logarithmic_axes():
    svg = line_chart("t", ("rank", "posts"), [Series(0, [1, 10, 100], [1000, 100, 10])], scale="logarithmic")
    assert ">100<" in svg and ">1,000<" in svg
    assert ">50<" not in svg


def test_losses_are_seen_where_gains_may_be_negative():
    series = [Series(0, [1, 2, 3], [10.0, 0.0, -10.0])]
    assert ">−" in line_chart("t", ("x", "y"), series, scale="differences")
    assert ">−" not in line_chart("t", ("x", "y"), series)


def test_named_series_stand_in_the_chart_s_legend():
    svg = line_chart("t", ("x", "y"), [Series(0, [1, 2], [1, 2], name="measured"), Series(1, [1, 2], [3, 2])])
    assert ">measured<" in svg and 'id="legend' in svg
    assert 'id="legend' not in line_chart("t", ("x", "y"), LINES)


@pytest.mark.parametrize(("length", "columns"), [(10, 2), (36, 1)])
def test_long_names_stand_below_each_other(length, columns):
    names = [letter * length for letter in "abc"]
    svg = line_chart("t", ("x", "y"), [Series(style, [1, 2], [1, 2], name=name) for style, name in enumerate(names)])
    places = [re.search(rf'x="([^"]*)"[^>]*>{name}<', svg)[1] for name in names]
    assert len(set(places)) == columns


def test_a_dashed_line_has_no_markers():
    plain = Series(0, [1, 2], [1, 2])
    dashed = Series(0, [1, 2], [1, 2], dashed=True)
    assert "stroke-dasharray" in (svg := line_chart("t", ("x", "y"), [dashed]))
    assert svg.count("<use") < line_chart("t", ("x", "y"), [plain]).count("<use")


def test_bars_stand_side_by_side():
    groups = [Series(0, [1, 2], [3.0, 4.0], name="a"), Series(1, [2], [5.0], name="b")]
    svg = bar_chart("Bars", ("x", "y"), groups)
    assert ElementTree.fromstring(svg).get("aria-label") == "Bars"
    bars = re.findall(r'<path d="M ([\d.]+) [^"]*" clip-path="[^"]*" style="fill: var\(--series-(\d)\)', svg)
    assert [style for _, style in bars] == ["0", "0", "1"]
    lefts = [float(left) for left, _ in bars]
    assert lefts[0] < lefts[1] < lefts[2]
    assert lefts[2] - lefts[1] == pytest.approx(0.42 * (lefts[1] - lefts[0]), rel=1e-3)


def test_bars_over_names_with_their_spreads():
    bars = [Series(0, [0, 1], [3.0, 4.0], [0.5, 1.0])]
    svg = bar_chart("t", ("", "y"), bars, ["missed", "both"])
    assert ">missed<" in svg and ">both<" in svg
    assert svg.count("LineCollection") == 1 + bar_chart("t", ("", "y"), [Series(0, [0, 1], [3.0, 4.0])]).count(
        "LineCollection"
    )


def test_no_bars():
    assert ElementTree.fromstring(bar_chart("t", ("x", "y"), [])).get("viewBox")
