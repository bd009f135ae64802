"""The matrix as cells: what each one runs, what it waits for, and its state as the files tell it."""

import hashlib
import json
import os
import shlex
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from igdet.benchmark.suite import PRETRAINING, Suite
from igdet.utils.files import atomic_write
from igdet.utils.strict_yaml import read_with_bases

RECORD = "cell.json"
RESULTS = "results.json"
LOG = "output.txt"  # what the process prints; Detectron2 itself writes log.txt


@dataclass(frozen=True)
class Cell:
    """One training process of the matrix.

    Attributes:
        name: its folder below the suite's, e.g. "seed0/boxes/hashtag_lr0.02".
        target: the target's name, or "pretraining".
        learning_rate: the one tried here; None: the config's own.
        opts: KEY: VALUE overrides, complete.
        launch: the training script and its options.
        prepared: hash of what the suite's PREPARE made.
        needs: the pretraining that must be finished before.
        minutes: expected duration, from the suite.
    """

    name: str
    initialisation: str
    target: str
    seed: int
    learning_rate: float | None
    config: str
    opts: dict
    launch: tuple[str, ...]
    folder: Path
    prepared: str
    minutes: float
    needs: "Cell | None" = None

    @property
    def kind(self) -> tuple:
        """What the cells of all seeds share: they take about the same time."""
        return self.target, self.initialisation, self.learning_rate

    @cached_property
    def digest(self) -> str:
        """A hash of all that decides the result; the cell is run anew when it changes."""
        parts = [
            self.launch,
            # Contents alone, so that a changed comment changes nothing.
            [content for _, content in read_with_bases(self.config)],
            self.opts,
            self.prepared,
            self.needs and self.needs.digest,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]

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

    def write_record(self, **entries) -> None:
        """Replace the cell's record, which ties the run folder to the digest."""
        write_json(self.folder / RECORD, {"digest": self.digest, "command": self.shell_command, **entries})

    @property
    def state(self) -> str:
        """waiting | started | interrupted | failed | finished; a folder of another configuration counts as waiting."""
        record = self.read(RECORD)
        if record is None or record["digest"] != self.digest:
            return "waiting"
        return "finished" if self.read(RESULTS) else record["state"]


def expand(suite: Suite, seeds: int | None = None) -> list[Cell]:
    """The cells of a suite, each after the one that it needs.

    Args:
        suite: the checked suite.
        seeds: number of seeds; None: the suite's own.
    """
    prepared = _file_hash(suite.prepared)
    return [cell for seed in range(seeds or suite.seeds) for cell in _seed_cells(suite, seed, prepared)]


def known_seeds(suite: Suite) -> int:
    """The number of seeds to show: the suite's, or more where an earlier run went further."""
    numbers = [int(path.name[4:]) for path in suite.folder.glob("seed*") if path.name[4:].isdigit()]
    return max([suite.seeds, *(number + 1 for number in numbers)])


def read_json(path: Path) -> dict | None:
    """The content of a JSON file; None when it is missing or unreadable."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_json(path: Path, content: dict) -> None:
    """Write a JSON file atomically."""
    with atomic_write(path, "w") as file:
        json.dump(content, file, indent=1)


def _seed_cells(suite: Suite, seed: int, prepared: str) -> list[Cell]:
    """The pretrainings of one seed, then its transfers."""

    def cell(target: str, initialisation: str, opts: dict, rate: float | None = None, **entries) -> Cell:
        name = f"seed{seed}/{target}/{initialisation}" + ("" if rate is None else f"_lr{rate:g}")
        folder = suite.folder / name
        opts = suite.opts | opts | {"SEED": seed, "OUTPUT_DIR": str(folder)}
        entries |= {"launch": _launch(suite), "folder": folder, "prepared": prepared}
        return Cell(name, initialisation, target, seed, rate, opts=opts, **entries)

    pretrainings = {
        name: cell(PRETRAINING, name, node.opts | {"MODEL.WEIGHTS": ""}, config=node.config, minutes=node.minutes)
        for name, node in suite.initialisations.items()
        if node.config
    }
    transfers = []
    for target, node in suite.targets.items():
        for name, start in suite.initialisations.items():
            needs = pretrainings.get(name)
            weights = str(needs.folder / "model_final.pth") if needs else start.weights
            for rate in node.learning_rates or [None]:
                opts = node.opts | node.opts_for.get(name, {}) | ({} if rate is None else {"SOLVER.BASE_LR": rate})
                opts |= {"MODEL.WEIGHTS": weights}
                transfers.append(cell(target, name, opts, rate, config=node.config, minutes=node.minutes, needs=needs))
    return [*pretrainings.values(), *transfers]


def _launch(suite: Suite) -> tuple[str, ...]:
    return (suite.train_script, *(("--num-gpus", str(suite.gpus), "--dist-url", "auto") if suite.gpus > 1 else ()))


def _file_hash(path: str | os.PathLike) -> str:
    if not path or not Path(path).is_file():
        return ""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
