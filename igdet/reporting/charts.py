"""Charts as inline SVG that takes its colours from the page, so that it follows light and dark."""

import html
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes

POINTS = 200


def log_spaced_ranks(count: int) -> np.ndarray:
    """Return ranks that show the head and the tail alike.

    Args:
        count: the last rank, >= 0.

    Returns:
        int64 (at most `POINTS`,), ascending and distinct, from 1 to count: evenly spaced in the logarithm as far as
        whole numbers can be; none for 0.
    """
    return np.unique(np.geomspace(1, count, POINTS).round().astype(np.int64)) if count else np.zeros(0, np.int64)


matplotlib.use("svg")

# Stand-ins that matplotlib draws with; the SVG gets the page's CSS variables in their place.
INK = "#0a0a01"
SERIES = [f"#0b0b{number:02}" for number in range(8)]
VARIABLES = {INK: "var(--ink)"} | {color: f"var(--series-{number})" for number, color in enumerate(SERIES)}
# Series differ in marker as well as in colour; the legend shows the same signs.
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]
LEGEND = "●■▲◆▼✚✖★"
# Inches at 72 dpi: about 370 px, so that letters keep their size on a phone.
SIZE = (5.1, 3.4)
_LETTERS_A_LINE = 50  # of this size, under a chart
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.18,
    "grid.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
}


@dataclass(frozen=True)
class Series:
    """One line, or the bars of one colour.

    Attributes:
        style: its number, which decides colour and marker.
        xs, ys: the points.
        spreads: half heights of the band around the line, or of the signs on the bars; empty: none.
        name: in the chart's own legend; "": not there.
        dashed: a line without markers, for what is not measured but fitted or expected.
        bounds: lower and upper edge of a band that is not even around the line; empty: none.
        whiskers: half heights of the signs on a line's points, where its band is that of something else; empty: none.
    """

    style: int
    xs: Sequence[float]
    ys: Sequence[float]
    spreads: Sequence[float] = ()
    name: str = ""
    dashed: bool = False
    bounds: Sequence[Sequence[float]] = ()
    whiskers: Sequence[float] = ()


def line_chart(title: str, axes: tuple[str, str], lines: Sequence[Series], scale: str = "from zero") -> str:
    """Draw lines.

    Args:
        title: read out by screen readers, printed above the chart.
        axes: labels of the horizontal and the vertical axis.
        lines: what to draw.
        scale: a key of `SCALES`.

    Returns:
        An SVG element.
    """

    def draw(plot: Axes) -> None:
        for line in lines:
            _draw_line(plot, line)
        SCALES[scale](plot)

    return _chart(title, axes, draw)


def bar_chart(title: str, axes: tuple[str, str], groups: Sequence[Series], names: Sequence[str] = ()) -> str:
    """Draw bars over whole numbers, or over names, those of several series side by side.

    Args:
        title: read out by screen readers, printed above the chart.
        axes: labels of the horizontal and the vertical axis.
        groups: what to draw; over names, xs are their places, from 0.
        names: what the horizontal axis shows.

    Returns:
        An SVG element.
    """

    def draw(plot: Axes) -> None:
        width = 0.84 / max(len(groups), 1)  # of the 1 that the bars over one number share
        for number, bars in enumerate(groups):
            shift = (number - (len(groups) - 1) / 2) * width
            color = SERIES[bars.style % len(SERIES)]
            spreads: dict[str, Any] = (
                {"yerr": bars.spreads, "ecolor": INK, "error_kw": {"elinewidth": 0.9}} if bars.spreads else {}
            )
            plot.bar(np.asarray(bars.xs) + shift, bars.ys, width, color=color, label=bars.name, **spreads)
        plot.grid(visible=False, axis="x")
        _from_zero(plot)
        if names:
            slanted: dict[str, Any] = {"rotation": 20, "ha": "right", "rotation_mode": "anchor"}
            fit = sum(map(len, names)) <= _LETTERS_A_LINE
            plot.set_xticks(range(len(names)), names, **({} if fit else slanted))

    return _chart(title, axes, draw)


def _chart(title: str, axes: tuple[str, str], draw: Callable[[Axes], None]) -> str:
    style: Any = {**STYLE, "svg.hashsalt": title}
    with matplotlib.rc_context(style):  # the salt keeps ids apart within one page
        figure, plot = pyplot.subplots(figsize=SIZE, layout="constrained")
        draw(plot)
        plot.set(xlabel=axes[0], ylabel=axes[1])
        plot.set_title(title, loc="left", fontweight="bold", fontsize=10.5, parse_math=False)
        if names := plot.get_legend_handles_labels()[1]:
            columns = 2 if 2 * max(map(len, names)) <= _LETTERS_A_LINE else 1
            figure.legend(loc="outside lower center", ncols=columns)  # inside it would hide what is drawn
        text = io.StringIO()
        figure.savefig(
            text, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
        pyplot.close(figure)
    return _for_page(text.getvalue(), title)


def _draw_line(plot: Axes, line: Series) -> None:
    style = line.style % len(SERIES)
    # At most about ten markers, so that a long curve stays a line.
    marks = {"linestyle": "--"} if line.dashed else {"marker": MARKERS[style], "markevery": max(1, len(line.xs) // 10)}
    plot.plot(line.xs, line.ys, color=SERIES[style], label=line.name, **marks)
    if line.whiskers:
        plot.errorbar(line.xs, line.ys, line.whiskers, fmt="none", ecolor=SERIES[style], elinewidth=1.2, capsize=2.5)
    if band := line.bounds or _around(line):
        low, high = band
        plot.fill_between(line.xs, low, high, color=SERIES[style], alpha=0.15, linewidth=0)


def _around(line: Series) -> list[list[float]]:
    """The edges of an even band; none without spreads."""
    if not line.spreads:
        return []
    return [[y + sign * s for y, s in zip(line.ys, line.spreads, strict=True)] for sign in (-1, 1)]


def _from_zero(plot: Axes) -> None:
    plot.set_ylim(bottom=0)  # losses and percentages: a cut axis would make small differences look large


def _around_zero(plot: Axes) -> None:
    plot.axhline(0, color=INK, linewidth=0.9)


def _log_axes(plot: Axes) -> None:
    plot.set(xscale="log", yscale="log")
    for axis in (plot.xaxis, plot.yaxis):
        axis.set_major_formatter("{x:,g}")
        axis.set_minor_formatter("")


def _log_from_zero(plot: Axes) -> None:
    plot.set_xscale("log")
    # A tick at every measured point: those of a logarithm are at the powers of ten alone.
    marked = [np.asarray(line.get_xdata(), float) for line in plot.lines if line.get_marker() != "None"]
    measured = np.unique(np.concatenate(marked)).tolist() if marked else []
    plot.set_xticks(measured, [f"{x:,g}" for x in measured])
    plot.xaxis.set_minor_formatter("")
    _from_zero(plot)


SCALES = {
    "from zero": _from_zero,
    "log, from zero": _log_from_zero,
    "differences": _around_zero,
    "logarithmic": _log_axes,
}


def standalone(svg: str, palette: str) -> str:
    """Return a chart as a file of its own, which brings the colours of light and dark along.

    Args:
        svg: an SVG element of this module.
        palette: CSS that sets the page's variables.
    """
    opening, _, rest = svg.partition(">")
    return f'{opening} xmlns="http://www.w3.org/2000/svg"><style>{palette}</style>{rest}\n'


def _for_page(svg: str, title: str) -> str:
    """The bare SVG element with the page's colours, scaling with its box."""
    svg = svg[svg.index("<svg") :]
    opening, _, rest = svg.partition(">")
    [box] = re.findall(r'viewBox="[^"]+"', opening)
    svg = f'<svg {box} role="img" aria-label="{html.escape(title)}">{rest}'.replace("xlink:href", "href")
    for color, variable in VARIABLES.items():
        svg = svg.replace(color, variable)
    return svg
