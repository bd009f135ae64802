"""One training process: its config checked, started in its own process group, stopped cleanly with its workers."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from igdet.benchmark.cells import DIVERGED, LOG, Cell
from igdet.benchmark.suite import PRETRAINING, Suite, visible_gpus
from igdet.utils.cache import LockError
from igdet.utils.cache import locked as folder_lock
from igdet.utils.processes import bound_to_this
from igdet.utils.yaml import ConfigError

# Seconds between asking a process to end and ending it: enough to write a checkpoint's last bytes.
GRACE = 10
BUSY = (
    "another benchmark, or a training that it left behind, still writes there; wait for it or stop it, or choose "
    "another OUTPUT_DIR"
)
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
CHECK_CONFIGS = "-m", "igdet.cli.check_configs"
OTHER_CHECKER = "check_configs.py"  # beside a training script of the user's


class Training:
    """A running cell.

    Args:
        cell: what to run.
        slot: number of the place it takes, 0 .. jobs - 1; decides its GPUs.
        suite: threads and GPUs of a process.
        lock: file descriptor of the held lock; the process inherits it, so that the folder stays locked while it lives.
    """

    def __init__(self, cell: Cell, slot: int, suite: Suite, lock: int) -> None:
        self.cell = cell
        self.slot = slot
        self._before = _tidy_folder(cell, suite)
        self._started = time.monotonic()
        options = ["--resume"] if (cell.folder / "last_checkpoint").exists() else []
        with (cell.folder / LOG).open("ab") as log:
            self._process = subprocess.Popen(
                cell.command(*options),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment_of(suite, slot),
                start_new_session=True,
                pass_fds=(lock,),
                preexec_fn=bound_to_this(),
            )

    @property
    def seconds(self) -> float:
        """Wall-clock time of the cell up to now, earlier attempts included."""
        return self._before + time.monotonic() - self._started

    def poll(self) -> int | None:
        """The exit code; None while the process runs."""
        code = self._process.poll()
        if code is not None:
            self._signal(signal.SIGKILL)  # loader workers that outlived it
        return code

    def ask_to_end(self) -> None:
        """Tell the process and its workers to end."""
        self._signal(signal.SIGTERM)

    def end(self) -> None:
        """Wait until the process has ended; after some grace, end it by force."""
        deadline = time.monotonic() + GRACE
        while self.poll() is None:
            if time.monotonic() > deadline:
                self._signal(signal.SIGKILL)
            time.sleep(0.05)

    def record(self, state: str, **entries: object) -> None:
        """Write down the cell's state."""
        self.cell.write_record(state=state, seconds=round(self.seconds, 1), **entries)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def locked(folder: Path) -> AbstractContextManager[int]:
    """Hold the folder's lock; yields its file descriptor.

    Raises:
        LockError: another runner holds it, or a training that it left behind.
    """
    return folder_lock(folder, busy=BUSY)


def is_locked(folder: Path) -> bool:
    """True while a runner, or a process that it started, writes into the folder."""
    if not folder.exists():
        return False
    try:
        with locked(folder):
            return False
    except LockError:
        return True


def _tidy_folder(cell: Cell, suite: Suite) -> float:
    """Set aside what another configuration or attempt left in the run folder; returns the seconds spent before."""
    record = cell.record
    if record is None:
        if cell.folder.exists():
            cell.folder.rename(_free_name(suite.folder / "replaced", cell.name.replace("/", "-")))
        record = {"seconds": 0}
    cell.folder.mkdir(parents=True, exist_ok=True)
    (cell.folder / DIVERGED).unlink(missing_ok=True)  # else an attempt that fails at its start would seem to diverge
    results = cell.folder / cell.results
    if cell.damage and results.is_file():
        results.replace(f"{results}.broken")  # else the training would stop at it
    return record.get("seconds", 0)


def _free_name(folder: Path, stem: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{stem}-{sum(1 for _ in folder.glob(f'{stem}-*'))}"


def environment_of(suite: Suite, slot: int) -> dict[str, str]:
    """The environment of a process of the suite: its share of the CPU threads and GPUs.

    Args:
        suite: threads and GPUs of a process.
        slot: number of the place that the process takes, 0 .. jobs - 1.
    """
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(suite.threads))
    if suite.gpus:
        mine = visible_gpus()[slot * suite.gpus : (slot + 1) * suite.gpus]
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(mine)
    return environment


def check_configs(suite: Suite, cells: Iterable[Cell]) -> None:
    """Refuse a matrix of which some cells would stop at their start: a data set that is not there, a wrong key.

    Args:
        suite: whose training script is used.
        cells: what is still to run.

    Raises:
        ConfigError: what is wrong, each thing once, and with which cells.
    """
    checker = checker_of(suite)
    if not checker:
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "runs.json")
        file.write_text(json.dumps([_run(cell, folder, suite.gpus) for cell in cells]))
        done = subprocess.run(
            [sys.executable, *checker, file],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            preexec_fn=bound_to_this(),
        )
    if done.returncode:
        raise ConfigError("nothing is started:\n" + (done.stdout or done.stderr).rstrip())


def checker_of(suite: Suite) -> tuple[str, ...]:
    """Return the program that knows what the training script accepts; of a script without one beside it, none."""
    if not suite.train_script:
        return CHECK_CONFIGS
    checker = Path(suite.train_script).with_name(OTHER_CHECKER)
    return (str(checker),) if checker.is_file() else ()


def _run(cell: Cell, folder: str, gpus: int) -> dict:
    """A cell as the checker takes it, one process a GPU; the weights of a pretraining are not there yet."""
    opts = cell.opts | {"OUTPUT_DIR": folder}
    if any(need.target == PRETRAINING for need in cell.needs):
        opts |= {"MODEL.WEIGHTS": ""}
    pairs = [str(part) for pair in opts.items() for part in pair]
    return {"name": cell.name, "config_file": cell.config, "opts": pairs, "processes": max(1, gpus)}
