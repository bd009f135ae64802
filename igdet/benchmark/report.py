"""The report: one self-contained HTML page that begins with the answer, and its tables as Markdown, CSV and LaTeX."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from igdet.benchmark import figures, localization, tables
from igdet.benchmark.collect import Study
from igdet.benchmark.costs import cost_charts, cost_table
from igdet.benchmark.distance_tables import study_table
from igdet.benchmark.galleries import changes, galleries
from igdet.benchmark.runner import last_lines
from igdet.benchmark.selection import ends_of_grid, setting_label
from igdet.benchmark.studies.curves import all_curves
from igdet.benchmark.studies.figures import draw_figures
from igdet.benchmark.studies.results import results_of
from igdet.benchmark.tables import paired_table
from igdet.reporting.charts import LEGEND
from igdet.reporting.pages import render_page
from igdet.reporting.significance import Gain
from igdet.reporting.tables import Entry, Table, csv_export
from igdet.utils.files import atomic_write
from igdet.utils.messages import clock

# Verdict -> how the sentence takes it up, in the order of the sentence.
PHRASES = {
    "gain": "gains {}",
    "loss": "loses {}",
    "within spread": "makes no difference beyond the spread on {}",
    "single seed": "differs by {}",
}
ONE_SEED = "With one seed no spread is known: a difference may be chance. Run more seeds before relying on it."
HTML = "report.html"


def headline(study: Study) -> list[str]:
    """What the last initialisation that is no baseline changes against each baseline.

    Args:
        study: the results.

    Returns:
        One sentence a baseline, and a warning where a single seed is all there is.
    """
    candidates = [name for name in study.suite.initializations if name not in study.suite.baselines]
    sentences = []
    verdicts = set()
    for baseline in study.suite.baselines if candidates else ():
        gains = _gains(study, candidates[-1], baseline)
        if gains:
            sentences.append(_sentence(study, candidates[-1], baseline, gains))
            verdicts |= {gain.verdict for _, gain in gains}
    if "single seed" in verdicts:
        sentences.append(ONE_SEED)
    return sentences or ["No comparison is finished yet."]


def _gains(study: Study, candidate: str, baseline: str) -> list[tuple[str, Gain]]:
    """(metric title, gain) of every metric that both have."""
    gains = [(column.title, study.gain(column.target, candidate, baseline, column.metric)) for column in study.columns]
    return [(title, gain) for title, gain in gains if gain]


def _sentence(study: Study, candidate: str, baseline: str, gains: list[tuple[str, Gain]]) -> str:
    titles = {name: study.suite.initializations[name].title for name in (candidate, baseline)}
    parts = []
    for verdict, phrase in PHRASES.items():
        listed = [_item(title, gain) for title, gain in gains if gain.verdict == verdict]
        if listed:
            parts.append(phrase.format(_enumerate(listed)))
    return f"Against “{titles[baseline]}”, “{titles[candidate]}” {'; it '.join(parts)}."


def _item(title: str, gain: Gain) -> str:
    """'+4.2 ± 0.3 box AP', with spaces at which no line breaks."""
    return f"{gain.text(signed=True)} {title}".replace(" ", "\u00a0")


def _enumerate(items: list[str]) -> str:
    """'a, b and c'."""
    return " and ".join([", ".join(items[:-1])] * (len(items) > 1) + items[-1:])


def transfer_csv(study: Study) -> str:
    """The transfer table in long form, for a spreadsheet or a plot."""
    rows = []
    for column in study.columns:
        for name in study.suite.initializations:
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


def write_report(study: Study) -> Path:
    """Write the report into the suite's folder, each file atomically.

    Args:
        study: the suite with what its runs have come to so far.

    Returns:
        The path of the HTML page.
    """
    answer = headline(study)
    files = {
        HTML: _page(study, answer),
        "report.md": _markdown(study, answer),
        "transfer.csv": transfer_csv(study),
        "results.csv": results_csv(study),
        "transfer.tex": tables.transfer_table(study).latex(),
    }
    for name, text in files.items():
        with atomic_write(study.suite.folder / name, "w") as file:
            file.write(text)
    return study.suite.folder / HTML


def _page(study: Study, answer: Sequence[str]) -> str:
    return render_page(
        "igdet.benchmark",
        title=study.suite.title,
        answer=answer,
        facts=_facts(study),
        warnings=[*_unfinished(study), *_notes(study)],
        along_axes=_along_axes(study),
        transfer=tables.transfer_table(study),
        gains=tables.gain_tables(study),
        paired=paired_table(study),
        threshold_charts=figures.threshold_charts(study),
        gain_charts=figures.gain_charts(study),
        error_charts=figures.error_charts(study),
        localization=localization.tables(study),
        changes=changes(study),
        curves=[*figures.loss_charts(study), *figures.evaluation_charts(study)],
        pretraining=tables.pretraining_table(study),
        costs=cost_table(study),
        cost_charts=cost_charts(study),
        distances=study_table(study),
        hashtags=figures.hashtag_chart(study),
        galleries=galleries(study),
        published=tables.published_table(study),
        selection=tables.selection_table(study),
        cells=tables.cell_table(study),
        failures=[(run, last_lines(run.cell)) for run in study.runs if run.state == "failed"],
        surroundings=_surroundings(study),
        prepare=study.suite.prepare,
        runs=study.runs,
        legend=list(zip(LEGEND, (node.title for node in study.suite.initializations.values()), strict=False)),
    )


def _along_axes(study: Study) -> list[str]:
    """A chart for every metric along the suite's axis; none without axes."""
    if not study.suite.axes:
        return []
    results = results_of(study, with_scenes=False)
    return [figure.svg for figure in draw_figures(study.suite, results, all_curves(study.suite, results))]


def _markdown(study: Study, answer: Sequence[str]) -> str:
    shown = [
        tables.transfer_table(study),
        *tables.gain_tables(study),
        paired_table(study),
        *localization.tables(study),
        tables.pretraining_table(study),
        cost_table(study),
        study_table(study),
        tables.selection_table(study),
        tables.published_table(study),
        tables.cell_table(study),
        _surroundings(study),
    ]
    sections = [table.markdown() for table in shown if table]
    return "\n\n".join([f"# {study.suite.title}", *answer, *_notes(study), *sections]) + "\n"


def _facts(study: Study) -> list[tuple[str, str]]:
    """(number, what it counts) shown on top of the page."""
    finished = study.finished
    seconds = sum(run.record["seconds"] for run in finished)
    seeds = len({run.cell.seed for run in finished})
    images = sum(run.results.get("images_seen") or 0 for run in finished)
    return [
        (f"{len(finished)} of {len(study.runs)}", "cells finished"),
        (str(seeds), "seed" if seeds == 1 else "seeds"),
        (clock(seconds), "process time"),
        (f"{images:,}", "images seen"),
    ]


def _unfinished(study: Study) -> list[str]:
    states = Counter(run.state for run in study.runs if not run.cell.is_over)
    missing = ", ".join(f"{count} {state}" for state, count in states.items())
    return [f"Not complete: {missing}. The numbers below are those of the finished cells."] if missing else []


def _notes(study: Study) -> list[str]:
    """Warnings about what the tables cannot show."""
    return [*_missing_metrics(study), *_choices_at_an_end(study)]


def _choices_at_an_end(study: Study) -> list[str]:
    """Choices that a wider grid might better."""
    found = {
        (tables.title_of(study, name), node.title): ends_of_grid(trial.setting, node.grid)
        for target, node in study.suite.targets.items()
        for name in study.suite.initializations
        if (trial := study.chosen(target, name))
    }
    return [
        f"{title}, {target}: the best setting has {' and '.join(ends)} of its GRID; a wider one may do better."
        for (title, target), ends in found.items()
        if ends
    ]


def _missing_metrics(study: Study) -> list[str]:
    """Metrics that the suite names but no run of the target has."""
    return [
        f"No run of {column.target} has the metric {column.metric}; it has {', '.join(sorted(run.metrics)[:12])}."
        for column in study.columns
        for run in [run for run in study.finished if run.cell.target == column.target][:1]
        if run.metric(column.metric) is None
    ]


def _surroundings(study: Study) -> Table | None:
    """Where the runs ran and with which versions; several values where they differ."""
    found: dict[str, dict[str, None]] = {}
    for run in study.finished:
        facts = {"device": run.results.get("device"), **run.results.get("host", {}), **run.results.get("versions", {})}
        for name, value in facts.items():
            found.setdefault(name, {})[str(value)] = None
    rows = [[Entry(name), Entry(", ".join(values))] for name, values in found.items()]
    return Table("Where it ran", ["", ""], rows) if rows else None
