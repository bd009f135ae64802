"""The numbers as CSV, for a spreadsheet or a plot."""

from igdet.benchmark.collect import Study
from igdet.benchmark.selection import setting_label
from igdet.utils.csv_files import csv_export


def transfer_csv(study: Study) -> str:
    """The transfer table in long form, for a spreadsheet or a plot."""
    rows = []
    for column in study.columns:
        for name in study.suite.initialisations:
            summary = study.summary(column.target, name, column.metric)
            if summary:
                setting = study.setting(column.target, name)
                rows.append([name, column.target, column.metric, setting, summary.mean, summary.spread, summary.n])
    return csv_export(["initialisation", "target", "metric", "setting", "mean", "spread", "seeds"], rows)


def results_csv(study: Study) -> str:
    """Every metric of every finished run."""
    rows = [
        [run.cell.initialisation, run.cell.target, setting_label(run.cell.setting), run.cell.seed, metric, value]
        for run in study.runs
        for metric, value in run.metrics.items()
    ]
    return csv_export(["initialisation", "target", "setting", "seed", "metric", "value"], rows)
