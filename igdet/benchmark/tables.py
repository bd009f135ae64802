"""The report's tables: transfer, gains, paired tests, settings tried, published numbers, cells."""

from collections.abc import Sequence

import numpy as np

from igdet.benchmark.collect import Column, Run, Study
from igdet.benchmark.metrics import better_of
from igdet.benchmark.selection import setting_label
from igdet.formats.predictions import read_predictions
from igdet.formats.published import FINDINGS, published_for
from igdet.reporting.significance import Gain, PairedTest, Summary, mcnemar, paired_t
from igdet.reporting.tables import EMPTY, Entry, Table
from igdet.utils.messages import clock

# A verdict is told by a sign as well as by colour.
SIGNS = {"gain": "▲ ", "loss": "▼ ", "within spread": "≈ ", "single seed": ""}
NOT_PUBLISHED = "not published here"
TOP1 = "classification/top1"  # the metric that single images decide: each is right or wrong
NOTE = (
    "Over seeds: Student's paired t test of the differences; it assumes that they are normal. "
    "Over images: McNemar's exact test of the first common seed's predictions; it tells whether these two networks "
    "differ on such images, not whether another training would. p is two-sided; with {} comparisons here, about "
    "{:.1f} would have p below 0.05 if nothing differed."
)


def transfer_table(study: Study) -> Table:
    """Initialisations against the targets' metrics: mean, spread and number of seeds."""
    shown = study.columns
    summaries = {
        name: [study.summary(column.target, name, column.metric) for column in shown]
        for name in study.suite.initializations
    }
    best = [
        better_of(column.metric)((summary.mean for row in summaries.values() if (summary := row[at])), default=None)
        for at, column in enumerate(shown)
    ]
    rows = []
    for name, row in summaries.items():
        entries = [summary_entry(summary, of_column) for summary, of_column in zip(row, best, strict=True)]
        rows.append([Entry(title_of(study, name)), *entries, Entry(_seed_counts(row))])
    for title in dict.fromkeys(title for target in study.suite.targets.values() for title in target.beside):
        values = (study.beside(title, column) for column in shown)
        rows.append([Entry(title), *(Entry(EMPTY if value is None else f"{value:.1f}") for value in values), Entry("")])
    note = "Mean ± sample standard deviation over the seeds, percent; a column's best mean is bold; ↓: lower is better."
    header = ["Initialisation", *(column.title for column in shown), "seeds"]
    return Table("Transfer", header, rows, note)


def gain_tables(study: Study) -> list[Table]:
    """One table a baseline: what each other initialisation gains over it."""
    shown = study.columns
    return [
        Table(
            f"Gain over: {title_of(study, baseline)}",
            ["Initialisation", *(column.title for column in shown)],
            [
                [
                    Entry(title_of(study, other)),
                    *(gain_entry(study.gain(c.target, other, baseline, c.metric)) for c in shown),
                ]
                for other, against in study.comparisons
                if against == baseline
            ],
        )
        for baseline in study.suite.baselines
        if any(against == baseline for _, against in study.comparisons)
    ]


def pretraining_table(study: Study) -> Table | None:
    """How well each pretraining learned its own task; None when the suite names no metric for it."""
    rows = [
        [Entry(node.title), Entry(title), summary_entry(study.pretraining_summary(name, metric))]
        for name, node in study.suite.initializations.items()
        for metric, title in node.metrics.items()
    ]
    return Table("Pretraining", ["Pretraining", "Metric", "Result"], rows) if rows else None


def selection_table(study: Study) -> Table | None:
    """Every setting tried, with the target's first metric; None when none was to be chosen."""
    rows = []
    for target, node in study.suite.targets.items():
        for name in study.suite.initializations:
            chosen = study.setting(target, name)
            for run in study.trials(target, name):
                label, value = setting_label(run.cell.setting), run.metric(run.cell.deciding)
                text = f"{value:.1f}" if value is not None else EMPTY if run.state == "finished" else run.state
                text += " (lost all foreground)" if run.cell.has_lost_foreground else ""
                result = Entry(text, "best" if label == chosen else "")
                mark = "chosen" if label == chosen else ""
                rows.append([Entry(node.title), Entry(title_of(study, name)), Entry(label), result, Entry(mark)])
    note = (
        "Tried with the first seed on the target's SELECT_ON data sets; the test set was not looked at. A trial that "
        "diverged, its loss or weights not finite any more, or that lost all foreground is not chosen."
    )
    return Table("Settings tried", ["Target", "Initialisation", "Setting", "Result", ""], rows, note) if rows else None


def published_table(study: Study) -> Table:
    """Published numbers for the same target beside the best one here."""
    rows: list[list[Entry]] = []
    sources: dict[str, str] = {}
    for column in study.columns:
        here = _best_here(study, column)
        found = published_for(study.suite.targets[column.target].published, column.metric)
        rows += [
            [Entry(column.title), here, Entry(f"{value:.1f}"), Entry(item.what), Entry(item.source.title)]
            for value, item in found
        ]
        sources |= {item.source.title: item.source.url for _, item in found}
        if not found:
            rows.append([Entry(column.title), here, Entry(""), Entry(NOT_PUBLISHED), Entry("")])
    findings = [FINDINGS[name] for name in study.suite.findings]
    sources |= {finding.source.title: finding.source.url for finding in findings}
    texts = [f"{finding.text} ({finding.source.title})." for finding in findings]
    note = " ".join([*texts, "; ".join(f"{title}: {url}" for title, url in sources.items())])
    header = ["Metric", "Best here", "Published", "Network and pretraining", "Source"]
    return Table("Published numbers", header, rows, note)


def cell_table(study: Study) -> Table:
    """Every cell: its state, time and memory."""
    rows = [[Entry(run.cell.name), Entry(run.state, run.state), *map(Entry, _cell_facts(run))] for run in study.runs]
    return Table("What ran", ["Cell", "State", "Time", "Images seen", "Peak memory"], rows)


def title_of(study: Study, initialisation: str) -> str:
    """The name under which an initialisation is shown."""
    return study.suite.initializations[initialisation].title


def summary_entry(summary: Summary | None, best: float | None = None) -> Entry:
    """Mean and spread, marked where the mean is the best of a column."""
    if summary is None:
        return Entry(EMPTY)
    return Entry(summary.text(), "best" if summary.mean == best else "")


def gain_entry(gain: Gain | None) -> Entry:
    """A gain with the sign of its verdict."""
    return Entry(SIGNS[gain.verdict] + gain.text(signed=True), gain.verdict) if gain else Entry(EMPTY)


def _seed_counts(summaries: Sequence[Summary | None]) -> str:
    """'3', or '2 to 3' while some are missing."""
    counts = sorted({summary.n if summary else 0 for summary in summaries})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _best_here(study: Study, column: Column) -> Entry:
    summaries = {name: study.summary(column.target, name, column.metric) for name in study.suite.initializations}
    found = {name: summary for name, summary in summaries.items() if summary}
    if not found:
        return Entry(EMPTY)
    best = better_of(column.metric)(found, key=lambda name: found[name].mean)
    return Entry(f"{found[best].text()} ({title_of(study, best)})")


def _cell_facts(run: Run) -> tuple[str, str, str]:
    memory, seen = run.results.get("peak_memory_mb"), run.results.get("images_seen")
    return (
        clock(run.record["seconds"]) if "seconds" in run.record else EMPTY,
        f"{seen:,}" if seen else EMPTY,
        f"{memory / 1024:.1f} GB" if memory else EMPTY,
    )


def paired_table(study: Study) -> Table | None:
    """Every comparison that two or more seeds, or predictions of the same images, allow; None without any."""
    rows = [row for column in study.columns for pair in study.comparisons for row in _rows(study, column, *pair)]
    header = ["A beats B", "Metric", "Over", "Difference", "95% interval", "p"]
    return Table("Paired tests", header, rows, NOTE.format(len(rows), 0.05 * len(rows))) if rows else None


def over_seeds(study: Study, column: Column, a: str, b: str) -> PairedTest | None:
    """The paired t test over the seeds that both have; None with fewer than two."""
    ours, theirs = (study.values(column.target, name, column.metric) for name in (a, b))
    differences = [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]
    return paired_t(differences) if len(differences) > 1 else None


def over_images(study: Study, column: Column, a: str, b: str) -> PairedTest | None:
    """McNemar's test on the first common seed's predictions; None where there are none, or of other images."""
    runs = [{run.cell.seed: run for run in study.transfers(column.target, name)} for name in (a, b)]
    seeds = sorted(runs[0].keys() & runs[1].keys())
    if not column.metric.endswith(TOP1) or not seeds:
        return None
    ours, theirs = (_hits(of_seed[seeds[0]]) for of_seed in runs)
    if not ours or ours.keys() != theirs.keys():
        return None
    return mcnemar(*(np.array([hits[name] for name in sorted(ours)]) for hits in (ours, theirs)))


def _hits(run: Run) -> dict[str, bool]:
    """Image -> whether the best answer is right; empty unless the run evaluated on one data set."""
    files = list(run.cell.folder.glob("inference/*/predictions.parquet"))
    if len(files) != 1:
        return {}
    table = read_predictions(files[0])
    columns = (table[name].to_pylist() for name in ("image_id", "gt_classes", "top_classes"))
    return {name: top[0] in labels for name, labels, top in zip(*columns, strict=True)}


def _rows(study: Study, column: Column, a: str, b: str) -> list[list[Entry]]:
    titles = [study.suite.initializations[name].title for name in (a, b)]
    tests = {"seeds": over_seeds(study, column, a, b), "images": over_images(study, column, a, b)}
    return [
        [Entry(" over ".join(titles)), Entry(column.title), Entry(f"{test.n:,} {unit}"), *_entries(test)]
        for unit, test in tests.items()
        if test
    ]


def _entries(test: PairedTest) -> list[Entry]:
    p = EMPTY if np.isnan(test.p) else f"{test.p:.3f}" if test.p >= 0.001 else "< 0.001"
    texts = [f"{test.difference:+.1f}", f"{test.low:+.1f} to {test.high:+.1f}", p]
    return [Entry(text.replace("-", "−")) for text in texts]
