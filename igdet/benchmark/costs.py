"""What each initialisation costs beside what it is worth: a table, and a chart of those that no other one beats."""

from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import NamedTuple

from igdet.benchmark.collect import Column, Run, Study
from igdet.benchmark.metrics import lower_is_better
from igdet.benchmark.tables import title_of
from igdet.reporting.charts import Series, line_chart
from igdet.reporting.tables import EMPTY, Entry, Table
from igdet.utils.messages import clock

NOTE = (
    "Of the trunk alone, for one image of the evaluation (classifiers: the crop; detectors: the largest image); times "
    "are medians over the seeds, on whatever machine the runs were, evaluation included."
)


class Worth(NamedTuple):
    """An initialisation in one target.

    Attributes:
        name: of the initialisation.
        multiply_adds: of its trunk, in billions an image.
        value: of the target's metric, a mean over seeds.
    """

    name: str
    multiply_adds: float
    value: float


def cost_table(study: Study) -> Table | None:
    """Parameters, multiply-adds and times; None where no run says what its trunk costs."""
    if not _trunk(study.finished):
        return None
    rows = [
        [
            Entry(title_of(study, name)),
            Entry(_time(study.pretraining(name))),
            *(Entry(text) for target in study.suite.targets for text in _of_target(study.transfers(target, name))),
        ]
        for name in study.suite.initializations
    ]
    titles = [target.title for target in study.suite.targets.values()]
    header = [f"{title}: {what}" for title in titles for what in ("parameters, M", "multiply-adds, G", "time of a run")]
    return Table("What it costs", ["Initialisation", "Time of a pretraining", *header], rows, NOTE)


def cost_charts(study: Study) -> list[str]:
    """Every metric over the trunk's multiply-adds, where these differ; a line joins those that no other one beats."""
    charts = []
    for column in study.columns:
        found = worths(study, column)
        if len({worth.multiply_adds for worth in found}) > 1:
            charts.append(_chart(study, column, found))
    return charts


def worths(study: Study, column: Column) -> list[Worth]:
    """The initialisations that have a result and say what their trunk costs."""
    found = []
    for name in study.suite.initializations:
        runs = study.transfers(column.target, name)
        values = [value for run in runs if (value := run.metric(column.metric)) is not None]
        if values and (trunk := _trunk(runs)):
            found.append(Worth(name, trunk["multiply_adds"] / 1e9, fmean(values)))
    return found


def front(found: Sequence[Worth], lower: bool = False) -> list[Worth]:
    """Those that no other one beats (Pareto): none is as good for fewer multiply-adds, or better for as many.

    Args:
        found: in any order.
        lower: whether lower values are better.

    Returns:
        Some of them, by ascending multiply-adds; of equal ones the first.
    """
    best: list[Worth] = []
    sign = -1 if lower else 1
    for worth in sorted(found, key=lambda worth: (worth.multiply_adds, -sign * worth.value)):
        if not best or sign * worth.value > sign * best[-1].value:
            best.append(worth)
    return best


def _chart(study: Study, column: Column, found: Sequence[Worth]) -> str:
    unbeaten = front(found, lower_is_better(column.metric))
    line = Series(0, [w.multiply_adds for w in unbeaten], [w.value for w in unbeaten], dashed=True)
    styles = {name: style for style, name in enumerate(study.suite.initializations)}
    marks = [Series(styles[w.name], [w.multiply_adds], [w.value], name=title_of(study, w.name)) for w in found]
    title = f"{column.title} over multiply-adds"
    return line_chart(title, ("billion multiply-adds of the trunk, an image", column.title), [line, *marks])


def _of_target(runs: Sequence[Run]) -> tuple[str, str, str]:
    trunk = _trunk(runs)
    if not trunk:
        return EMPTY, EMPTY, _time(runs)
    return f"{trunk['parameters'] / 1e6:.1f}", f"{trunk['multiply_adds'] / 1e9:.3g}", _time(runs)


def _trunk(runs: Sequence[Run]) -> Mapping | None:
    """What the first of them that says it tells of its trunk."""
    return next((trunk for run in runs if (trunk := run.results.get("trunk"))), None)


def _time(runs: Sequence[Run]) -> str:
    seconds = [run.record["seconds"] for run in runs if "seconds" in run.record]
    return clock(median(seconds)) if seconds else EMPTY
