"""The numbers as CSV, for a spreadsheet or a plot."""

import csv
import io
from collections.abc import Sequence

from igdet.benchmark.collect import Study


def transfer_csv(study: Study) -> str:
    """The transfer table in long form, for a spreadsheet or a plot."""
    rows = []
    for column in study.columns:
        for name in study.suite.initialisations:
            summary = study.summary(column.target, name, column.metric)
            if summary:
                rate = study.learning_rate(column.target, name)
                rows.append([name, column.target, column.metric, rate, summary.mean, summary.spread, summary.n])
    return _csv(["initialisation", "target", "metric", "learning_rate", "mean", "spread", "seeds"], rows)


def results_csv(study: Study) -> str:
    """Every metric of every finished run."""
    rows = [
        [run.cell.initialisation, run.cell.target, run.cell.learning_rate, run.cell.seed, metric, value]
        for run in study.runs
        for metric, value in run.metrics.items()
    ]
    return _csv(["initialisation", "target", "learning_rate", "seed", "metric", "value"], rows)


def _csv(header: Sequence[str], rows: Sequence[Sequence]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()
