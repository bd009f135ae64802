"""The results of a study as one Parquet table, from which its figures and its page are drawn without any run."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from igdet.benchmark.collect import Run, Study
from igdet.benchmark.distances import distance_rows
from igdet.benchmark.metrics import find_metric
from igdet.benchmark.studies.scenes import scene_rows
from igdet.benchmark.suite import PRETRAINING
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write

IMAGES, SECONDS = "run/images_seen", "run/seconds"  # of every run, beside its metrics
# One row for each metric of each finished run; what the suite file says of an initialisation is not repeated.
SCHEMA = pa.schema(
    [
        ("target", pa.string()),  # of the suite; "pretraining"
        ("initialisation", pa.string()),  # with its place on the axes, as igdet.benchmark.axes names it
        ("seed", pa.int32()),
        ("metric", pa.string()),  # as results.json has it: DATA SET/TASK/NAME
        ("value", pa.float64()),
        ("device", pa.string()),  # GPU or processor
        ("date", pa.string()),  # on which it finished, UTC, as "2026-11-29"
        ("versions", pa.string()),  # "igdet 0.2.0, torch 2.10.0, ..."
    ]
)


class ResultsError(UserError):
    """A table of results that cannot be used."""


class Cost(NamedTuple):
    """What one run took, a mean over seeds."""

    images: float
    hours: float


class Results:
    """The results of a study, by target, initialisation and seed.

    Args:
        table: with the columns of `SCHEMA`.
    """

    def __init__(self, table: pa.Table):
        self.table = table

    @cached_property
    def _metrics(self) -> Mapping[tuple[str, str], dict[int, dict[str, float]]]:
        found: dict[tuple[str, str], dict[int, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
        for row in self.table.select(["target", "initialisation", "seed", "metric", "value"]).to_pylist():
            found[row["target"], row["initialisation"]][row["seed"]][row["metric"]] = row["value"]
        return found

    def values(self, target: str, initialisation: str, metric: str) -> dict[int, float]:
        """Return seed -> a metric's value, of the seeds that have it.

        Args:
            target: of the suite, or "pretraining".
            initialisation: with its place on the axes.
            metric: its full name or the end of it.

        Raises:
            ConfigError: several data sets have it.
        """
        runs = self._metrics.get((target, initialisation), {})
        found = {seed: find_metric(metrics, metric, initialisation) for seed, metrics in sorted(runs.items())}
        return {seed: value for seed, value in found.items() if value is not None}

    def cost(self, initialisation: str, target: str = PRETRAINING) -> Cost | None:
        """Return what a run took; None where there is none, as for training from scratch."""
        images, seconds = (self.values(target, initialisation, name).values() for name in (IMAGES, SECONDS))
        return Cost(fmean(images), fmean(seconds) / 3600) if images and seconds else None

    def facts(self, column: str) -> list[str]:
        """Return the different values of a column, such as "device"."""
        return sorted(value for value in self.table[column].unique().to_pylist() if value)

    def write(self, path: Path) -> None:
        """Write the table atomically."""
        with atomic_write(path) as file:
            pq.write_table(self.table, file, compression="zstd")

    @classmethod
    def read(cls, path: Path) -> "Results":
        """Read a table back.

        Raises:
            ResultsError: it is missing, cut short, or something else.
        """
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise ResultsError(f"{path} cannot be read: {error}; run the study, which writes it") from error
        if missing := set(SCHEMA.names) - set(table.column_names):
            raise ResultsError(f"{path} lacks the columns {sorted(missing)}; run the study again, which writes it")
        return cls(table.select(SCHEMA.names).cast(SCHEMA))


def results_of(study: Study, with_scenes: bool = True) -> Results:
    """Collect the metrics of a study's finished runs, and what distances are measured; no trials of a grid.

    Args:
        study: the suite with its runs.
        with_scenes: whether detection differences over scenes are worked out, which takes minutes.
    """
    wanted = {PRETRAINING, *study.suite.targets}
    runs = (run for run in study.finished if run.cell.target in wanted)
    rows = [*(row for run in runs for row in _rows(run)), *distance_rows(study)]
    rows += scene_rows(study) if with_scenes else ()
    return Results(pa.Table.from_pylist(rows, SCHEMA))


def _rows(run: Run) -> Iterable[dict]:
    device = run.results.get("device", "")
    facts = {
        "target": run.cell.target,
        "initialisation": run.cell.initialisation,
        "seed": run.cell.seed,
        "device": run.results["host"]["cpu"] if device == "cpu" and "host" in run.results else device,
        "date": run.results.get("finished", "")[:10],
        "versions": ", ".join(f"{name} {version}" for name, version in run.results.get("versions", {}).items()),
    }
    costs = {IMAGES: run.results.get("images_seen"), SECONDS: run.record.get("seconds")}
    for metric, value in {**run.metrics, **{name: cost for name, cost in costs.items() if cost is not None}}.items():
        yield {**facts, "metric": metric, "value": value}
