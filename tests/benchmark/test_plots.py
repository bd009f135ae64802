"""Charts: well-formed SVG that scales and takes its colours from the page."""

from xml.etree import ElementTree

from igdet.benchmark.plots import Series, line_chart

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
    assert all(f"var({name})" in svg for name in ("--ink", "--series-0", "--series-1"))  # style 9 begins anew
    assert "#0b0b" not in svg


def test_same_numbers_same_chart():
    assert line_chart("t", ("x", "y"), LINES) == line_chart("t", ("x", "y"), LINES)


def test_logarithmic_axes():
    svg = line_chart("t", ("rank", "posts"), [Series(0, [1, 10, 100], [1000, 100, 10])], log=True)
    assert ">100<" in svg and ">1,000<" in svg
    assert ">50<" not in svg
