"""Cells' configs are checked as their trainings would check them, in one process before the first one starts."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from igdet.benchmark.cells import Cell
from igdet.benchmark.suite import PRETRAINING, Suite
from igdet.utils.processes import bound_to_this
from igdet.utils.strict_yaml import ConfigError

CHECKER = "check_configs.py"  # stands beside the training script; another script without one is not checked


def check_configs(suite: Suite, cells: Iterable[Cell]) -> None:
    """Refuse a matrix of which some cells would stop at their start: a data set that is not there, a wrong key.

    Args:
        suite: whose training script is used.
        cells: what is still to run.

    Raises:
        ConfigError: what is wrong, each thing once, and with which cells.
    """
    checker = Path(suite.train_script).with_name(CHECKER)
    if not checker.is_file():
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "runs.json")
        file.write_text(json.dumps([_run(cell, folder, suite.gpus) for cell in cells]))
        done = subprocess.run(
            [sys.executable, checker, file],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            preexec_fn=bound_to_this(),
        )
    if done.returncode:
        raise ConfigError("nothing is started:\n" + (done.stdout or done.stderr).rstrip())


def _run(cell: Cell, folder: str, gpus: int) -> dict:
    """A cell as the checker takes it, one process a GPU; the weights of a pretraining are not there yet."""
    opts = cell.opts | {"OUTPUT_DIR": folder}
    if any(need.target == PRETRAINING for need in cell.needs):
        opts |= {"MODEL.WEIGHTS": ""}
    pairs = [str(part) for pair in opts.items() for part in pair]
    return {"name": cell.name, "config_file": cell.config, "opts": pairs, "processes": max(1, gpus)}
