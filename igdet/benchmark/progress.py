"""The progress line: live on a terminal, a line at each event and now and then elsewhere."""

import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from igdet.benchmark.process import Training
from igdet.utils.messages import clock, printable

# Seconds between two lines where nothing can be overwritten.
QUIET = 60
# A metrics.json line is well below this many bytes.
TAIL = 8192


class Progress:
    """Prints events and the state of the run.

    Args:
        stream: where to print.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty()
        self._started = time.monotonic()
        self._last = self._started

    def event(self, text: str) -> None:
        """Print a line that stays."""
        print(f"\r\x1b[K{printable(text)}" if self._live else printable(text), file=self._stream, flush=True)

    def show(self, done: int, total: int, running: Sequence[Training], remaining: float) -> None:
        """Renew the progress line.

        Args:
            done: cells finished, failed or blocked.
            total: all cells.
            running: the running ones.
            remaining: expected seconds until the end.
        """
        now = time.monotonic()
        if not self._live and now - self._last < QUIET:
            return
        self._last = now
        head = f"[{done}/{total}] {clock(now - self._started)} gone, about {clock(remaining)} left"
        text = " | ".join([head, *(f"{training.cell.name}{_where(training.cell.folder)}" for training in running)])
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\x1b[K{text[:width]}", end="", file=self._stream, flush=True)
        else:
            print(text, file=self._stream, flush=True)


def last_metrics(folder: Path) -> dict:
    """The last complete line of a run's metrics.json; empty before the first."""
    try:
        with (folder / "metrics.json").open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL))
            complete, newline, _ = file.read().rpartition(b"\n")
        return json.loads(complete.rpartition(b"\n")[2]) if newline else {}
    except (OSError, ValueError):
        return {}


def _where(folder: Path) -> str:
    """' it 120, 0:35 left' as far as the run has written it."""
    metrics = last_metrics(folder)
    iteration = f" it {metrics['iteration']}" if "iteration" in metrics else ""
    return iteration + (f", {clock(metrics['eta_seconds'])} left" if "eta_seconds" in metrics else "")
