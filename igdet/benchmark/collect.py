"""Reads the run folders of a matrix back: states, results, learning curves, and predictions for sample images."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from igdet.benchmark.cells import Cell, read_json
from igdet.benchmark.metrics import find_metric, finite_metrics, lower_is_better
from igdet.benchmark.process import is_locked
from igdet.benchmark.selection import SELECT, setting_label
from igdet.benchmark.suite import PRETRAINING, Suite
from igdet.reporting.significance import Gain, Summary, paired_gain, summarise
from igdet.utils.files import read_json_lines

IMAGES = 4  # shown of a target
Item = TypeVar("Item")


@dataclass(frozen=True)
class Run:
    """A cell with what its folder says.

    Attributes:
        state: waiting | running | interrupted | failed | blocked | diverged | broken | finished.
        record: what the runner wrote down; empty before the start.
        results: the content of results.json; empty until it is finished.
    """

    cell: Cell
    state: str
    record: dict
    results: dict

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Metric name -> finite value, e.g. "world_val/bbox/AP" -> 12.3."""
        return finite_metrics(self.results)

    def metric(self, name: str) -> float | None:
        """A metric by its full name or by the end of it; None when the run has none.

        Raises:
            ConfigError: several data sets have it.
        """
        return find_metric(self.metrics, name, self.cell.name)

    @cached_property
    def curve(self) -> list[dict]:
        """The lines of metrics.json."""
        lines = read_json_lines(self.cell.folder / "metrics.json")
        return [line for line in lines if isinstance(line, dict)]


LOWER_MARK = " ↓"  # behind the title of a metric that is better when it is lower


class Column(NamedTuple):
    """A metric of a target, with the title under which it is shown."""

    target: str
    metric: str
    title: str


def marked_title(metric: str, title: str) -> str:
    """Return the title with an arrow where lower is better."""
    return title + LOWER_MARK * lower_is_better(metric)


def columns_of(suite: Suite) -> list[Column]:
    """Return every metric of every target; the target's title joins the metric's where that alone is not unique.

    An arrow says where lower is better.
    """
    uses = Counter(title for target in suite.targets.values() for title in target.metrics.values())
    return [
        Column(name, metric, marked_title(metric, title if uses[title] == 1 else f"{target.title}: {title}"))
        for name, target in suite.targets.items()
        for metric, title in target.metrics.items()
    ]


class Study:
    """A suite with all its runs.

    Args:
        suite: the checked suite.
        cells: its cells.
    """

    def __init__(self, suite: Suite, cells: Sequence[Cell]) -> None:
        self.suite = suite
        self.runs = _read_runs(suite, cells)

    @cached_property
    def columns(self) -> list[Column]:
        """As `columns_of`."""
        return columns_of(self.suite)

    @cached_property
    def finished(self) -> list[Run]:
        """The finished runs."""
        return [run for run in self.runs if run.state == "finished"]

    def pretraining(self, initialisation: str) -> list[Run]:
        """The finished pretraining runs of an initialisation, one a seed."""
        return self._finished(PRETRAINING, self.suite.initializations[initialisation].shares or initialisation)

    def pretraining_summary(self, initialisation: str, metric: str) -> Summary | None:
        """Mean and spread of a pretraining's own metric; None without any."""
        values = [run.metric(metric) for run in self.pretraining(initialisation)]
        return summarise(value for value in values if value is not None)

    def transfers(self, target: str, initialisation: str) -> list[Run]:
        """The finished runs on a target, one a seed."""
        return self._finished(target, initialisation)

    def trials(self, target: str, initialisation: str) -> list[Run]:
        """The trials of a target's grid, in whatever state."""
        return self._of(self.runs, f"{target}/{SELECT}", initialisation)

    def setting(self, target: str, initialisation: str) -> str:
        """The chosen setting's label; "" before the choice, or without a grid."""
        chosen = self.chosen(target, initialisation)
        return setting_label(chosen.setting) if chosen else ""

    def chosen(self, target: str, initialisation: str) -> Cell | None:
        """The chosen trial; None before the choice, or without a grid."""
        return next((run.cell.chosen for run in self._of(self.runs, target, initialisation)), None)

    def values(self, target: str, initialisation: str, metric: str) -> dict[int, float]:
        """Seed -> a metric's value."""
        runs = self.transfers(target, initialisation)
        return {run.cell.seed: value for run in runs if (value := run.metric(metric)) is not None}

    def beside(self, title: str, column: Column) -> float | None:
        """What stands beside a target's first metric under a title; None without any.

        Raises:
            ConfigError: the file has several metrics of the name.
        """
        node = self.suite.targets[column.target]
        wanted = node.beside.get(title)
        if wanted is None or column.metric != next(iter(node.metrics)):
            return None
        return find_metric(finite_metrics(read_json(wanted.file) or {}), wanted.metric, wanted.file)

    def summary(self, target: str, initialisation: str, metric: str) -> Summary | None:
        """Mean and spread of a metric over the seeds; None without any."""
        return summarise(self.values(target, initialisation, metric).values())

    def gain(self, target: str, initialisation: str, baseline: str, metric: str) -> Gain | None:
        """The gain of an initialisation over a baseline, paired by seed; None without a common seed."""
        ours, theirs = (self.values(target, name, metric) for name in (initialisation, baseline))
        return paired_gain(ours, theirs, lower_is_better(metric))

    @property
    def comparisons(self) -> list[tuple[str, str]]:
        """(initialisation, baseline) pairs: every baseline against those that come after it, non-baselines included."""
        order = [
            *self.suite.baselines,
            *(name for name in self.suite.initializations if name not in self.suite.baselines),
        ]
        return [
            (other, name) for at, name in enumerate(order[: len(self.suite.baselines)]) for other in order[at + 1 :]
        ]

    def _finished(self, target: str, initialisation: str) -> list[Run]:
        return self._of(self.finished, target, initialisation)

    @staticmethod
    def _of(runs: Sequence[Run], target: str, initialisation: str) -> list[Run]:
        return [run for run in runs if (run.cell.target, run.cell.initialisation) == (target, initialisation)]


def _read_runs(suite: Suite, cells: Sequence[Cell]) -> list[Run]:
    busy = is_locked(suite.folder)
    states: dict[str, str] = {}
    runs = []
    for cell in cells:
        state = cell.state
        if state == "started":
            state = "running" if busy else "interrupted"
        lost = cell.is_undecided or any(states.get(need.name) in ("failed", "blocked") for need in cell.needs)
        if state == "waiting" and lost:
            state = "blocked"
        states[cell.name] = state
        begun = state not in ("waiting", "blocked")  # else the folder is empty or another configuration's
        record = (cell.record or {}) if begun else {}
        results = (cell.read(cell.results) or {}) if state == "finished" else {}
        if state == "broken":
            record = record | {"why": cell.damage}
        runs.append(Run(cell, state, record, results))
    return runs


def choose(items: Sequence[Item], key: Callable[[Item], Any]) -> list[Item]:
    """Choose items evenly spaced in the order of their key: the same for every run, whatever it predicts."""
    ordered = sorted(items, key=key)
    step = max(1, len(ordered) // IMAGES)
    return ordered[::step][:IMAGES]


def inference_file(run: Run, name: str) -> Path:
    """Where a run's evaluation leaves a file about its first test set."""
    return run.cell.folder / "inference" / run.results["config"]["DATASETS"]["TEST"][0] / name
