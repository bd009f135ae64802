"""What a suite says: initialisations, targets, and how their matrix is run. Fields are the suite file's keys."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from igdet.benchmark.axes import Axis
from igdet.utils.yaml import DERIVED, NUMBER

# The folder of the pretraining runs; it is beside the targets' folders.
PRETRAINING = "pretraining"
# The protocols that `igdet probe` knows.
PROBES = ("linear", "kshot", "knn")


@dataclass(frozen=True)
class Initialisation:
    """Where a transfer starts: from scratch (neither CONFIG nor WEIGHTS), from its own pretraining, or from weights."""

    title: str
    config: str = ""  # config of the pretraining, run once a seed
    opts: dict = field(default_factory=dict)  # KEY: VALUE overrides of that pretraining
    weights: str = ""  # instead of a pretraining: a file or igdet:// name; {seed} is the seed's number
    metrics: dict[str, str] = field(default_factory=dict)  # of the pretraining: name in results.json -> title
    minutes: float = 1.0  # expected duration of the pretraining: fixes the order until one has been timed
    series: str = field(default="", metadata=DERIVED)  # its name in the file, before axes multiplied it
    series_title: str = field(default="", metadata=DERIVED)
    point: dict[str, str] = field(default_factory=dict, metadata=DERIVED)  # axis -> value
    shares: str = field(default="", metadata=DERIVED)  # the initialisation whose pretraining it takes; "": its own


@dataclass(frozen=True)
class Beside:
    """A result that another command has, such as zero_shot.json of `igdet tag`: shown in the first metric's column."""

    file: str
    metric: str  # by its name in the file, or the end of it, such as "texts/top1"


@dataclass(frozen=True)
class TransferTask:
    """A task that every initialisation is transferred to."""

    title: str
    config: str
    metrics: dict[str, str]  # name in results.json, probe.json -> title; the first one decides: metrics.lower_is_better
    opts: dict = field(default_factory=dict)  # KEY: VALUE overrides for all initialisations
    opts_for: dict[str, dict] = field(default_factory=dict)  # initialisation -> further overrides
    grid: dict[str, list[NUMBER]] = field(default_factory=dict)  # KEY: values, as the config has them; all are combined
    select_on: dict[str, str] = field(default_factory=dict)  # TRAIN, TEST: data sets that the trials use
    published: str = ""  # the protocol in igdet/formats/published.py that this target follows
    beside: dict[str, Beside] = field(default_factory=dict)  # title -> a row of its own
    probe: list[str] = field(default_factory=list)  # protocols on frozen features, in place of a training
    minutes: float = 1.0


@dataclass(frozen=True)
class Suite:
    """A checked suite file."""

    title: str
    output_dir: str
    initializations: dict[str, Initialisation]
    targets: dict[str, TransferTask]
    baselines: list[str] = field(default_factory=list)  # gains are counted over these, in this order
    seeds: int = 1  # seeds 0 .. SEEDS - 1
    jobs: int = 0  # processes at a time; 0: all that the GPUs, without GPUS the cores / THREADS, allow
    threads: int = 1  # CPU threads of each process
    gpus: int = 0  # GPUs of each process
    opts: dict = field(default_factory=dict)  # KEY: VALUE overrides of every cell
    prepare: str = (
        ""  # script, or -m and a module, with arguments: run before the cells; does nothing when its work is done
    )
    prepared: str = ""  # file that PREPARE leaves; when its content changes, every cell is run again
    axes: dict[str, Axis] = field(default_factory=dict)  # of a study: what is varied, see docs/STUDIES.md
    x: str = ""  # the axis that is drawn from left to right; "": the first one
    ranks: list[str] = field(default_factory=list)  # two targets: does the first order as the second does?
    question: str = ""  # what a study asks
    limits: list[str] = field(default_factory=list)  # what its answer does not say
    findings: list[str] = field(default_factory=list)  # names of igdet/formats/published.py that are shown beside it
    train_script: str = ""  # another script with the command line of train_net; "": igdet's own

    @property
    def folder(self) -> Path:
        """The folder that holds the runs and the report."""
        return Path(self.output_dir)

    @property
    def workers(self) -> int:
        """How many cells run at a time; 0 where this process sees fewer than GPUS GPUs."""
        if self.gpus:
            places = len(visible_gpus()) // self.gpus
            return min(self.jobs or places, places)
        return self.jobs or max(1, len(os.sched_getaffinity(0)) // self.threads)


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name for name in named.split(",") if name]
    return [str(number) for number in range(len(list(Path("/dev").glob("nvidia[0-9]*"))))]
