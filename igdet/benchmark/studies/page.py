"""A study's page: question, command, figures, numbers, what is published, verdicts and limits, from its results."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from igdet.benchmark.axes import axis_of
from igdet.benchmark.collect import Column
from igdet.benchmark.distance_tables import results_table
from igdet.benchmark.studies.curves import Curve, all_curves
from igdet.benchmark.studies.figures import Figure, draw_figures
from igdet.benchmark.studies.ranks import rank_sentences
from igdet.benchmark.studies.results import Results
from igdet.benchmark.studies.verdicts import verdicts
from igdet.benchmark.studies.wording import level
from igdet.benchmark.suite import Suite
from igdet.formats.published import FINDINGS, Source, published_for
from igdet.reporting.charts import standalone
from igdet.reporting.pages import palette
from igdet.reporting.significance import Interval
from igdet.reporting.tables import EMPTY, Entry, Table, csv_export
from igdet.utils.files import atomic_write

NOTE = "Mean [95% interval] over the seeds (Student's t), percent but for losses; whiskers show the same."
FIT_NOTE = (
    " Dashed lines are log-linear fits; their bands, and the brackets of gains, are bootstrap intervals over seeds."
)


@dataclass(frozen=True)
class Panel:
    """One metric of a target.

    Attributes:
        column: the metric.
        curves: of it.
        sentences: what they say.
    """

    column: Column
    curves: list[Curve]
    sentences: list[str]


def panels_of(suite: Suite, results: Results) -> list[Panel]:
    """Return a panel for every metric that has results."""
    axis = suite.axes[axis_of(suite)]
    found = all_curves(suite, results)
    return [Panel(column, curves, verdicts(column, curves, axis, results)) for column, curves in found]


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
    drawn = draw_figures(suite, results, [(panel.column, panel.curves) for panel in panels])
    figures = {page.with_name(f"{page.stem}-{number}.svg"): figure for number, figure in enumerate(drawn, start=1)}
    for path, figure in figures.items():
        _write(path, standalone(figure.svg, palette()))
    _write(page.with_suffix(".csv"), _csv(panels))
    _write(page.with_suffix(".tex"), table.latex())
    _write(page, _markdown(suite, results, command, panels, table, figures))


def result_table(suite: Suite, panels: Sequence[Panel]) -> Table:
    """Return every point of every curve against the metrics."""
    header = ["Series", suite.axes[axis_of(suite)].title, *(panel.column.title for panel in panels), "seeds"]
    rows: dict[tuple[str, str], dict[int, Entry]] = {}
    seeds: dict[tuple[str, str], int] = {}
    for at, panel in enumerate(panels):
        for curve in panel.curves:
            for point in curve.points:
                key = curve.title, point.title
                rows.setdefault(key, {})[at] = Entry(_interval_text(point.interval, panel.column.metric))
                seeds[key] = max(seeds.get(key, 0), len(point.values))
    body = []
    for (series, value), row in rows.items():
        entries = (row.get(at, Entry(EMPTY)) for at in range(len(panels)))
        body.append([Entry(series), Entry(value or EMPTY), *entries, Entry(str(seeds[series, value]))])
    if not any(series for series, _ in rows):  # the initialisations are the axis
        header, body = header[1:], [entries[1:] for entries in body]
    return Table("Results", header, body)


def _interval_text(interval: Interval, metric: str) -> str:
    mean, low, high = (level(value, metric) for value in (interval.mean, interval.low, interval.high))
    return mean if interval.n < 2 else f"{mean} [{low}, {high}]"


def _csv(panels: Sequence[Panel]) -> str:
    rows = [
        [panel.column.target, panel.column.metric, curve.title, point.title, point.x, seed, value]
        for panel in panels
        for curve in panel.curves
        for point in curve.points
        for seed, value in point.values.items()
    ]
    return csv_export(["target", "metric", "series", "value of the axis", "x", "seed", "result"], rows)


def _markdown(
    suite: Suite,
    results: Results,
    command: str,
    panels: Sequence[Panel],
    table: Table,
    figures: dict[Path, Figure],
) -> str:
    sentences = [*rank_sentences(suite, results), *(sentence for panel in panels for sentence in panel.sentences)]
    published = [*_published(suite, panels)]
    parts = [
        f"# {suite.title}",
        _wrapped(suite.question),
        f"```bash\n{command}\n```",
        *(f"![{figure.title}]({path.name})" for path, figure in figures.items()),
        "## Verdict",
        _bullets(sentences) or "No result yet.",
        table.markdown(),
        _wrapped(NOTE + FIT_NOTE * (suite.axes[axis_of(suite)].asked == "growth")),
        *_distances(suite, results),
        "## Published beside it",
        Table("", ["published", "source"], published).markdown() if published else "Not published here.",
        "## Limits",
        _bullets([*suite.limits, _where_it_ran(results)]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _distances(suite: Suite, results: Results) -> list[str]:
    table = results_table(suite, results)
    return [replace(table, note="").markdown(), _wrapped(table.note)] if table else []


def _published(suite: Suite, panels: Sequence[Panel]) -> Iterator[list[Entry]]:
    """The study's findings, and the results of the protocols that its targets follow, each with its source."""
    for name in suite.findings:
        yield [Entry(FINDINGS[name].text), _cited(FINDINGS[name].source)]
    for panel in panels:
        task = suite.targets.get(panel.column.target)  # none for a pretraining's own metrics
        for value, item in published_for(task.published, panel.column.metric) if task else ():
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
