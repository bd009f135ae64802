"""A study's page: question, command, figures, numbers, what is published, verdicts and limits, from its results."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from igdet.benchmark.axes import axis_of
from igdet.benchmark.collect import Column, columns_of
from igdet.benchmark.studies.curves import Curve, Point, curves_of
from igdet.benchmark.studies.results import Results
from igdet.benchmark.studies.verdicts import verdicts
from igdet.benchmark.suite import Suite
from igdet.formats.published import FINDINGS, Source, published_for
from igdet.reporting.charts import Series, bar_chart, line_chart, standalone
from igdet.reporting.pages import palette
from igdet.reporting.significance import Interval
from igdet.reporting.tables import EMPTY, Entry, Table, csv_export
from igdet.utils.files import atomic_write

SCALES = {"log": "log, from zero", "linear": "from zero"}
NOTE = (
    "Mean [95% interval] over the seeds, percent (Student's t); bands and whiskers show the same. Dashed lines are "
    "log-linear fits, brackets of gains their bootstrap intervals over seeds."
)


@dataclass(frozen=True)
class Panel:
    """One metric of a target.

    Attributes:
        column: the metric.
        curves: of it.
        svg: the figure.
        sentences: what they say.
    """

    column: Column
    curves: list[Curve]
    svg: str
    sentences: list[str]


def panels_of(suite: Suite, results: Results) -> list[Panel]:
    """Return a panel for every metric of every target that has results."""
    axis = suite.axes[axis_of(suite)]
    found = [(column, curves_of(suite, results, column)) for column in columns_of(suite)]
    return [
        Panel(column, curves, _figure(suite, column, curves), verdicts(column, curves, axis, results))
        for column, curves in found
        if curves
    ]


def write_page(suite: Suite, results: Results, command: str, page: Path) -> None:
    """Write a study's page with its figures, tables as CSV and LaTeX, beside the page under its name.

    Args:
        suite: the study.
        results: its results.
        command: that runs it.
        page: the Markdown file; figures are written as NAME-1.svg, ...
    """
    panels = panels_of(suite, results)
    table = result_table(suite, panels)
    figures = {page.with_name(f"{page.stem}-{number}.svg"): panel for number, panel in enumerate(panels, start=1)}
    for path, panel in figures.items():
        _write(path, standalone(panel.svg, palette()))
    _write(page.with_suffix(".csv"), _csv(panels))
    _write(page.with_suffix(".tex"), table.latex())
    _write(page, _markdown(suite, results, command, table, figures))


def result_table(suite: Suite, panels: Sequence[Panel]) -> Table:
    """Return every point of every curve against the metrics."""
    header = ["Series", suite.axes[axis_of(suite)].title, *(panel.column.title for panel in panels), "seeds"]
    rows: dict[tuple[str, str], dict[int, Entry]] = {}
    seeds: dict[tuple[str, str], int] = {}
    for at, panel in enumerate(panels):
        for curve in panel.curves:
            for point in curve.points:
                key = curve.title, point.title
                rows.setdefault(key, {})[at] = Entry(_interval_text(point.interval))
                seeds[key] = max(seeds.get(key, 0), len(point.values))
    body = []
    for (series, value), row in rows.items():
        entries = (row.get(at, Entry(EMPTY)) for at in range(len(panels)))
        body.append([Entry(series), Entry(value or EMPTY), *entries, Entry(str(seeds[series, value]))])
    return Table("Results", header, body)


def _figure(suite: Suite, column: Column, curves: Sequence[Curve]) -> str:
    axis = suite.axes[axis_of(suite)]
    axes = axis.title, column.title
    if axis.scale == "category":
        names = [value.title or name for name, value in axis.values.items()]
        return bar_chart(column.title, axes, [_bars(curve, len(names)) for curve in curves], names)
    ends = [point.x for curve in curves if curve.varies for point in curve.points]
    is_fitted = axis.scale == "log"
    lines = [line for curve in curves for line in _lines(curve, min(ends), max(ends), is_fitted)] if ends else []
    return line_chart(column.title, axes, lines, SCALES[axis.scale])


def _bars(curve: Curve, values: int) -> Series:
    """A series that does not vary is as high at every value."""
    points = curve.points if curve.varies else curve.points * values
    xs = [point.x for point in points] if curve.varies else list(range(values))
    return Series(curve.style, xs, [point.interval.mean for point in points], _reaches(points), curve.title)


def _lines(curve: Curve, smallest: float, largest: float, is_fitted: bool) -> list[Series]:
    if not curve.varies:
        mean = curve.points[0].interval.mean
        return [Series(curve.style, [smallest, largest], [mean, mean], name=curve.title, dashed=True)]
    means = [point.interval.mean for point in curve.points]
    xs = [point.x for point in curve.points]
    lines = [Series(curve.style, xs, means, _reaches(curve.points), curve.title)]
    if is_fitted and (band := curve.band):
        sizes = np.geomspace(band.smallest, band.largest, 20)
        lines.append(Series(curve.style, sizes.tolist(), band.curve.at(sizes).tolist(), dashed=True))
    return lines


def _reaches(points: Sequence[Point]) -> list[float]:
    """Half the height of each interval; none where a point has one seed alone."""
    reaches = [point.interval.high - point.interval.mean for point in points]
    return reaches if all(reach == reach for reach in reaches) else []


def _interval_text(interval: Interval) -> str:
    if interval.n < 2:
        return f"{interval.mean:.1f}"
    return f"{interval.mean:.1f} [{interval.low:.1f}, {interval.high:.1f}]"


def _csv(panels: Sequence[Panel]) -> str:
    rows = [
        [panel.column.target, panel.column.metric, curve.title, point.title, point.x, seed, value]
        for panel in panels
        for curve in panel.curves
        for point in curve.points
        for seed, value in point.values.items()
    ]
    return csv_export(["target", "metric", "series", "value of the axis", "x", "seed", "result"], rows)


def _markdown(suite: Suite, results: Results, command: str, table: Table, figures: dict[Path, Panel]) -> str:
    axis = suite.axes[axis_of(suite)].title
    sentences = [sentence for panel in figures.values() for sentence in panel.sentences]
    published = [*_published(suite, list(figures.values()))]
    parts = [
        f"# {suite.title}",
        _wrapped(suite.question),
        f"```bash\n{command}\n```",
        *(f"![{panel.column.title} by {axis}]({path.name})" for path, panel in figures.items()),
        "## Verdict",
        _bullets(sentences) or "No result yet.",
        table.markdown(),
        _wrapped(NOTE),
        "## Published beside it",
        Table("", ["published", "source"], published).markdown() if published else "Not published here.",
        "## Limits",
        _bullets([*suite.limits, _where_it_ran(results)]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _published(suite: Suite, panels: Sequence[Panel]) -> Iterator[list[Entry]]:
    """The study's findings, and the results of the protocols that its targets follow, each with its source."""
    for name in suite.findings:
        yield [Entry(FINDINGS[name].text), _cited(FINDINGS[name].source)]
    for panel in panels:
        for value, item in published_for(suite.targets[panel.column.target].published, panel.column.metric):
            yield [Entry(f"{panel.column.title} {value:.1f}: {item.what}"), _cited(item.source)]


def _cited(source: Source) -> Entry:
    return Entry(f"[{source.title}]({source.url})")


def _where_it_ran(results: Results) -> str:
    found = results.facts("date")
    dates = " to ".join(dict.fromkeys([*found[:1], *found[-1:]]))
    return f"Ran {dates} on {', '.join(results.facts('device'))} with {'; '.join(results.facts('versions'))}."


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(_wrapped(sentence, "- ", "  ") for sentence in sentences)


def _wrapped(text: str, first: str = "", others: str = "") -> str:
    """Break lines at 120 characters, as in all documents."""
    wrapper = textwrap.TextWrapper(120, first, others, break_long_words=False, break_on_hyphens=False)
    return wrapper.fill(text)


def _write(path: Path, text: str) -> None:
    with atomic_write(path, "w") as file:
        file.write(text)
