"""Does A beat B? Paired tests of two initialisations: over seeds, and over the pictures of one seed."""

import numpy as np

from igdet.benchmark.collect import Column, Run, Study
from igdet.utils.predictions_file import read_predictions
from igdet.utils.significance import PairedTest, mcnemar, paired_t
from igdet.utils.table import EMPTY, Entry, Table

TOP1 = "classification/top1"  # the metric that single pictures decide: each is right or wrong
NOTE = (
    "Over seeds: Student's paired t test of the differences; it assumes that they are normal. "
    "Over pictures: McNemar's exact test of the first common seed's predictions; it tells whether these two networks "
    "differ on such pictures, not whether another training would. p is two-sided; with {} comparisons here, about "
    "{:.1f} would have p below 0.05 if nothing differed."
)


def paired_table(study: Study) -> Table | None:
    """Every comparison that two or more seeds, or predictions of the same pictures, allow; None without any."""
    rows = [row for column in study.columns for pair in study.comparisons for row in _rows(study, column, *pair)]
    header = ["A beats B", "Metric", "Over", "Difference", "95% interval", "p"]
    return Table("Paired tests", header, rows, NOTE.format(len(rows), 0.05 * len(rows))) if rows else None


def over_seeds(study: Study, column: Column, a: str, b: str) -> PairedTest | None:
    """The paired t test over the seeds that both have; None with fewer than two."""
    ours, theirs = (study.values(column.target, name, column.metric) for name in (a, b))
    differences = [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]
    return paired_t(differences) if len(differences) > 1 else None


def over_pictures(study: Study, column: Column, a: str, b: str) -> PairedTest | None:
    """McNemar's test on the first common seed's predictions; None where there are none, or of other pictures."""
    runs = [{run.cell.seed: run for run in study.transfers(column.target, name)} for name in (a, b)]
    seeds = sorted(runs[0].keys() & runs[1].keys())
    if not column.metric.endswith(TOP1) or not seeds:
        return None
    ours, theirs = (_hits(of_seed[seeds[0]]) for of_seed in runs)
    if not ours or ours.keys() != theirs.keys():
        return None
    return mcnemar(*(np.array([hits[name] for name in sorted(ours)]) for hits in (ours, theirs)))


def _hits(run: Run) -> dict[str, bool]:
    """Picture -> whether the best answer is right; empty unless the run evaluated on one data set."""
    files = list(run.cell.folder.glob("inference/*/predictions.parquet"))
    if len(files) != 1:
        return {}
    table = read_predictions(files[0])
    columns = (table[name].to_pylist() for name in ("image_id", "gt_classes", "top_classes"))
    return {name: top[0] in labels for name, labels, top in zip(*columns, strict=True)}


def _rows(study: Study, column: Column, a: str, b: str) -> list[list[Entry]]:
    titles = [study.suite.initialisations[name].title for name in (a, b)]
    tests = {"seeds": over_seeds(study, column, a, b), "pictures": over_pictures(study, column, a, b)}
    return [
        [Entry(" over ".join(titles)), Entry(column.title), Entry(f"{test.n:,} {unit}"), *_entries(test)]
        for unit, test in tests.items()
        if test
    ]


def _entries(test: PairedTest) -> list[Entry]:
    p = EMPTY if np.isnan(test.p) else f"{test.p:.3f}" if test.p >= 0.001 else "< 0.001"
    texts = [f"{test.difference:+.1f}", f"{test.low:+.1f} to {test.high:+.1f}", p]
    return [Entry(text.replace("-", "−")) for text in texts]
