"""The matrix as cells: what each one runs, what it waits for, and its state as the files tell it."""

import json
import os
import shlex
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from igdet.benchmark.metrics import find_metric, finite_metrics
from igdet.benchmark.selection import SELECT, choose_trial, grid_settings, selection_opts, setting_label
from igdet.benchmark.suite import PRETRAINING, Suite
from igdet.utils import files
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write
from igdet.utils.hashing import fingerprint, hash_file
from igdet.utils.yaml import read_with_bases

RECORD = "cell.json"
RESULTS = "results.json"
PROBE_RESULTS = "probe.json"
DIVERGED = "diverged.json"  # left by a training whose loss or weights were not finite any more
# Types of what is read of a results.json, where it is there at all.
TYPES = {
    "results": dict,
    "config": dict,
    "host": dict,
    "versions": dict,
    "posts_per_hashtag": list,
    "images_seen": int,
    "peak_memory_mb": int,
}
SEED = "{seed}"  # in an initialisation's WEIGHTS: the number of the seed
TRAIN_NET = "-m", "igdet.cli.train_net"
PROBE = "-m", "igdet.cli.probe", "--protocols"
LOG = "output.txt"  # what the process prints; Detectron2 itself writes log.txt


@dataclass(frozen=True)
class Cell:
    """One process of the matrix: a training, or a probe.

    Attributes:
        name: its folder below the suite's, e.g. "seed0/boxes/hashtag".
        target: the target's name, "pretraining", or "<target>/select" for a trial of the target's grid.
        setting: KEY: VALUE of the grid that are tried here.
        own_opts: KEY: VALUE overrides but for the setting that is chosen among the trials.
        launch: the script, or -m and its module, and its options.
        prepared: hash of what the suite's PREPARE made.
        minutes: expected duration, from the suite.
        needs: the pretraining, and the trials, that must be finished before.
        deciding: the metric by which a trial is chosen.
    """

    name: str
    initialisation: str
    target: str
    seed: int
    setting: dict
    config: str
    own_opts: dict
    launch: tuple[str, ...]
    folder: Path
    prepared: str
    minutes: float
    needs: "tuple[Cell, ...]" = ()
    deciding: str = ""

    @property
    def results(self) -> str:
        """The file that the process leaves when it is done."""
        return PROBE_RESULTS if self.launch[: len(PROBE)] == PROBE else RESULTS

    @property
    def kind(self) -> tuple:
        """What the cells of all seeds share: they take about the same time."""
        return self.target, self.initialisation, setting_label(self.setting)

    @property
    def trials(self) -> "list[Cell]":
        """The cells that try settings for this one."""
        return [cell for cell in self.needs if cell.setting]

    @property
    def chosen(self) -> "Cell | None":
        """The trial whose setting is taken; None before all are over, or where none has a result."""
        return choose_trial(self.trials, self.deciding)

    @property
    def is_undecided(self) -> bool:
        """Whether all trials are over and none has a result to choose by."""
        return bool(self.trials) and all(trial.is_over for trial in self.trials) and self.chosen is None

    @property
    def deciding_value(self) -> float | None:
        """The cell's result in the deciding metric."""
        return find_metric(finite_metrics(self.read(self.results) or {}), self.deciding, self.name)

    @property
    def has_lost_foreground(self) -> bool:
        """Whether it ended as a detector that takes everything for background: a result, but none to choose."""
        return (self.read(self.results) or {}).get("lost_foreground") is not None

    @property
    def opts(self) -> dict:
        """KEY: VALUE overrides, with the chosen setting once there is one."""
        return self.own_opts | (self.chosen.setting if self.chosen else {})

    @cached_property
    def digest(self) -> str:
        """A hash of all that decides the result; the cell is run again when it changes."""
        is_own, options = self.launch[:2] == TRAIN_NET, self.launch[2:]
        parts = [
            # By the name that runs of earlier versions, which stay finished, started igdet's own command by.
            ("tools/train_net.py", *options) if is_own else self.launch,
            # Contents alone, so that a changed comment changes nothing.
            [content for _, content in read_with_bases(self.config)],
            self.own_opts,
            self.prepared,
            [cell.digest for cell in self.needs],
        ]
        return fingerprint(*parts)[:16]

    def command(self, *options: str) -> list[str]:
        """The process that runs the cell, with further options of the training script such as --resume."""
        overrides = [str(part) for pair in self.opts.items() for part in pair]
        return [sys.executable, *self.launch, "--config-file", self.config, *options, *overrides]

    @property
    def shell_command(self) -> str:
        """The command as one types it."""
        return shlex.join(["python", *self.command()[1:]])

    def read(self, name: str) -> dict | None:
        """A JSON file of the run folder; None when it is missing or unreadable."""
        return read_json(self.folder / name)

    def write_record(self, **entries: object) -> None:
        """Replace the cell's record, which ties the run folder to the digest."""
        write_json(self.folder / RECORD, {"digest": self.digest, "command": self.shell_command, **entries})

    @property
    def record(self) -> dict | None:
        """What the runner wrote down; None where nothing, of another configuration, or damaged."""
        record = self.read(RECORD) or {}
        is_sound = isinstance(record.get("state"), str) and isinstance(record.get("seconds", 0), int | float)
        return record if is_sound and record.get("digest") == self.digest else None

    @property
    def state(self) -> str:
        """waiting | started | interrupted | failed | diverged | broken | finished; another configuration's is waiting.

        Broken: its results.json is damaged; it is evaluated again.
        """
        if self.record is None:
            return "waiting"
        if not self.damage:
            return "finished"
        return "broken" if self.record["state"] == "finished" else self.record["state"]

    @property
    def damage(self) -> str:
        """What is wrong with the cell's results, "" when nothing."""
        results = self.read(self.results)
        if not results:
            return f"{self.folder / self.results} is no JSON object; run the suite again to make it again"
        wrong = [key for key, kind in TYPES.items() if not isinstance(results.get(key, kind()), kind)]
        if not wrong:
            return ""
        return f"{self.folder / self.results}: {wrong[0]} is no {TYPES[wrong[0]].__name__}; run the suite again"

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to run: that a trial diverges is a result, too."""
        return self.state in ("finished", "diverged")


def expand(suite: Suite, seeds: int | None = None) -> list[Cell]:
    """The cells of a suite, each after those that it needs.

    Args:
        suite: the checked suite.
        seeds: number of seeds; None: the suite's own.
    """
    prepared = _file_hash(suite.prepared)
    cells: list[Cell] = []
    for seed in range(seeds or suite.seeds):
        cells += _seed_cells(suite, seed, prepared, [cell for cell in cells if cell.setting])
    return cells


def known_seeds(suite: Suite) -> int:
    """The number of seeds to show: the suite's, or more where an earlier run went further."""
    numbers = [int(path.name[4:]) for path in suite.folder.glob("seed*") if path.name[4:].isdigit()]
    return max([suite.seeds, *(number + 1 for number in numbers)])


def read_json(path: str | os.PathLike, kind: type = dict) -> Any:
    """The content of a JSON file; None when it is missing, unreadable or of another kind."""
    with suppress(UserError):
        return files.read_json(path, "JSON", kind)
    return None


def write_json(path: Path, content: dict) -> None:
    """Write a JSON file atomically."""
    with atomic_write(path, "w") as file:
        json.dump(content, file, indent=1)


def _seed_cells(suite: Suite, seed: int, prepared: str, trials: list[Cell]) -> list[Cell]:
    """The pretrainings of one seed, the trials where an earlier seed has not made them, then the transfers."""

    def cell(target: str, initialisation: str, opts: dict, setting: dict | None = None, **entries: Any) -> Cell:
        name = f"seed{seed}/{target}/{initialisation}" + (f"_{setting_label(setting)}" if setting else "")
        folder = suite.folder / name
        opts = suite.opts | opts | (setting or {}) | {"SEED": seed, "OUTPUT_DIR": str(folder)}
        entries |= {"folder": folder, "prepared": prepared}
        return Cell(name, initialisation, target, seed, setting or {}, own_opts=opts, **entries)

    train = _launch(suite)
    pretrainings = {
        name: cell(
            PRETRAINING,
            name,
            node.opts | {"MODEL.WEIGHTS": ""},
            launch=train,
            config=node.config,
            minutes=node.minutes,
        )
        for name, node in suite.initializations.items()
        if node.config and not node.shares
    }
    new_trials, transfers = [], []
    for target, node in suite.targets.items():
        for name, start in suite.initializations.items():
            pretraining = start.shares or name
            needs = tuple(pretrainings[pretraining] for _ in range(pretraining in pretrainings))
            weights = str(needs[0].folder / "model_final.pth") if needs else start.weights.replace(SEED, str(seed))
            opts = node.opts | node.opts_for.get(name, {}) | {"MODEL.WEIGHTS": weights}
            entries: dict[str, Any] = {
                "launch": (*PROBE, *node.probe) if node.probe else train,
                "config": node.config,
                "minutes": node.minutes,
                "deciding": next(iter(node.metrics)),
            }
            place = f"{target}/{SELECT}"
            tried = [trial for trial in trials if (trial.target, trial.initialisation) == (place, name)]
            if node.grid and not tried:
                trial_opts = opts | selection_opts(node)
                settings = grid_settings(node.grid)
                tried = [cell(place, name, trial_opts, setting, needs=needs, **entries) for setting in settings]
                new_trials += tried
            transfers.append(cell(target, name, opts, needs=(*needs, *tried), **entries))
    return [*pretrainings.values(), *new_trials, *transfers]


def _launch(suite: Suite) -> tuple[str, ...]:
    program = (suite.train_script,) if suite.train_script else TRAIN_NET
    return (*program, *(("--num-gpus", str(suite.gpus), "--dist-url", "auto") if suite.gpus > 1 else ()))


def _file_hash(path: str | os.PathLike) -> str:
    if not path or not Path(path).is_file():
        return ""
    return hash_file(Path(path))
