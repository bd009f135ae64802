"""The table of distances, for a report, a study's page and the command that measures them."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from igdet.benchmark.collect import Study
from igdet.benchmark.distances import NAMES, measured, numbers_of
from igdet.benchmark.suite import Suite
from igdet.reporting.tables import EMPTY, Entry, Table

if TYPE_CHECKING:
    from igdet.benchmark.studies.results import Results

HEADER = [
    "Pretraining",
    "Target",
    "Images",
    "Fréchet",
    "Fréchet, N → ∞",
    "Kernel ± standard error",
    "Classes with a label",
]
NOTE = (
    "How far the training images of a pretraining are from those of a target, by the features of one trunk for the "
    "whole table (0: alike; other trunks have other scales; Images: of the smaller set), and the share of the target's "
    "classes that are a label of the pretraining or a synonym of one: both describe the data, and neither predicts a "
    "result."
)


def distance_table(suite: Suite, numbers: Callable[[str, str], Mapping[str, float]]) -> Table | None:
    """Return the table of a suite; None where nothing is measured.

    Args:
        suite: the suite.
        numbers: from a target and an initialisation to `numbers_of` their pair, {} without any.
    """
    found = [
        (node.title, task.title, of_pair)
        for name, node in suite.initializations.items()
        for target, task in suite.targets.items()
        if (of_pair := numbers(target, name))
    ]
    return table_of(found) if found else None


def study_table(study: Study) -> Table | None:
    """Return the table of a suite's report."""
    pairs = measured(study.suite, [run.cell for run in study.runs])
    known = {(pair["target"], pair["initialisation"]): numbers_of(pair) for pair in pairs}
    return distance_table(study.suite, lambda target, name: known.get((target, name), {}))


def results_table(suite: Suite, results: "Results") -> Table | None:
    """Return the table of a study from its results."""

    def numbers(target: str, name: str) -> dict[str, float]:
        found = {metric: results.values(target, name, metric).get(0) for metric in NAMES}
        return {metric: value for metric, value in found.items() if value is not None}

    return distance_table(suite, numbers)


def table_of(pairs: Iterable[tuple[str, str, Mapping[str, float]]]) -> Table:
    """Return a row for each pair: title of the pretraining, title of the target, numbers; equal rows are joined."""
    joined: dict[tuple[str, ...], list[str]] = {}
    for pretraining, target, numbers in pairs:
        joined.setdefault((target, *_cells(numbers)), []).append(pretraining)
    rows = [[Entry(text) for text in ("; ".join(titles), *row)] for row, titles in joined.items()]
    return Table("Distance from pretraining to target", HEADER, rows, NOTE)


def _cells(numbers: Mapping[str, float]) -> list[str]:
    """The texts of a pair's columns; a number that is not known is empty, a coverage says so."""
    of = {name.removeprefix("distance/"): value for name, value in numbers.items()}
    coverage = f"{of['coverage']:.0f}%" if "coverage" in of else "unknown"
    return [
        f"{of['images']:,.0f}" if "images" in of else EMPTY,
        *(_text(of.get(name), ".3g") for name in ("frechet", "frechet-infinity")),
        f"{_text(of.get('kernel'), '.2g')} ± {_text(of.get('kernel-error'), '.1g')}",
        coverage + (f" (names of {of['coverage-unknown']:.0f}% unknown)" if of.get("coverage-unknown") else ""),
    ]


def _text(value: float | None, form: str) -> str:
    return EMPTY if value is None else format(value, form).replace("-", "−")
