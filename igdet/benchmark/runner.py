"""Runs the cells of a matrix in a pool of processes, longest first, and survives what goes wrong in one of them."""

import shlex
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from statistics import median

from igdet.benchmark.cells import DIVERGED, LOG, RESULTS, Cell
from igdet.benchmark.process import Training
from igdet.benchmark.progress import Progress
from igdet.benchmark.suite import Suite
from igdet.utils.errors import UserError
from igdet.utils.messages import clock
from igdet.utils.processes import bound_to_this

# A cell that fails is tried once more: a machine's hiccup passes, a mistake stays.
ATTEMPTS = 2
LOG_LINES = 15


class Timing:
    """Durations of a matrix's cells, in seconds.

    Args:
        cells: the whole matrix.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._dependants = defaultdict(list)
        self._measured: defaultdict[tuple, list[tuple[float, float]]] = defaultdict(list)
        for cell in cells:
            for need in cell.needs:
                self._dependants[need.name].append(cell)
            record = cell.record or {}
            if cell.state == "finished" and "seconds" in record:
                self.learn(cell, record["seconds"])

    def learn(self, cell: Cell, seconds: float) -> None:
        """Take note of a finished cell's duration."""
        self._measured[cell.kind].append((seconds, cell.minutes * 60))

    def seconds(self, cell: Cell) -> float:
        """The expected duration: the median of its kind, else the suite's guess at this machine's speed."""
        if cell.kind in self._measured:
            return median(measured for measured, _ in self._measured[cell.kind])
        return cell.minutes * 60 * self._slowness()

    def chain(self, cell: Cell) -> float:
        """The cell's duration with the longest chain that waits for it: the longest of all is started first."""
        return self.seconds(cell) + max(map(self.chain, self._dependants[cell.name]), default=0.0)

    def remaining(self, waiting: Collection[Cell], running: Collection[tuple[Cell, float]], jobs: int) -> float:
        """Expected seconds until all is done.

        Args:
            waiting: cells not yet started.
            running: running cells with the seconds they have taken.
            jobs: processes at a time.
        """
        left = [max(0.0, self.seconds(cell) - taken) for cell, taken in running]
        work = sum(left) + sum(map(self.seconds, waiting))
        longest = max([*left, *map(self.chain, waiting)], default=0.0)
        return max(work / jobs, longest)

    def _slowness(self) -> float:
        """Measured over expected duration on this machine."""
        return median([seconds / guess for pairs in self._measured.values() for seconds, guess in pairs] or [1.0])


class PrepareError(UserError):
    """The suite's PREPARE command failed."""


class Runner:
    """Runs what is not finished yet.

    Args:
        suite: jobs, threads and GPUs.
        cells: the matrix; each cell after those that it needs.
        lock: file descriptor of the suite folder's lock.
        refresh: called after each finished or failed cell.
        progress: prints the state.
        poll: seconds between two looks at the processes.
    """

    def __init__(
        self,
        suite: Suite,
        cells: Sequence[Cell],
        lock: int,
        refresh: Callable[[], None],
        progress: Progress | None = None,
        poll: float = 0.5,
    ) -> None:
        self._suite = suite
        self._lock = lock
        self._refresh = refresh
        self._progress = progress or Progress()
        self._poll = poll
        self._timing = Timing(cells)
        self._total = len(cells)
        self._waiting = [cell for cell in cells if not cell.is_over]
        self._running: list[Training] = []
        self._attempts: Counter[str] = Counter()
        self.failed: list[Cell] = []
        self.blocked: list[Cell] = []

    def run(self) -> bool:
        """Run all cells; True when every one is finished. A KeyboardInterrupt stops the processes first."""
        try:
            self._start()
            while self._running:
                time.sleep(self._poll)
                self._look()
        finally:
            self._stop()
        return not self.failed and not self.blocked

    def _look(self) -> None:
        ended = [(training, code) for training in self._running if (code := training.poll()) is not None]
        for training, code in ended:
            self._running.remove(training)
            self._settle(training, code)
        self._start()
        if ended:
            self._refresh()
        self._show()

    def _start(self) -> None:
        """Fill the free places with the cells that are ready, longest chain first."""
        self._set_blocked_aside()
        # A process is waited for even when its results are there already: its last files may not be.
        ahead = {cell.name for cell in [*self._waiting, *(training.cell for training in self._running)]}
        ready = [cell for cell in self._waiting if not any(need.name in ahead for need in cell.needs)]
        for cell in [cell for cell in ready if cell.is_undecided]:
            ready.remove(cell)
            self._set_aside(
                cell, f"no trial has {cell.deciding} to choose by: each diverged, lost all foreground or lacks it"
            )
        ready.sort(key=self._timing.chain, reverse=True)
        taken = {training.slot for training in self._running}
        free = [slot for slot in range(self._suite.workers) if slot not in taken]
        for cell, slot in zip(ready, free, strict=False):
            self._waiting.remove(cell)
            self._attempts[cell.name] += 1
            training = Training(cell, slot, self._suite, self._lock)
            self._running.append(training)  # before anything takes time: an interrupt stops what is listed
            training.record("started")
            self._progress.event(f"started   {cell.name}")

    def _set_blocked_aside(self) -> None:
        for cell in list(self._waiting):  # a cell comes after those that it needs, so one pass blocks whole chains
            lost = [need for need in cell.needs if need in self.failed or need in self.blocked]
            if lost:
                self._set_aside(cell, f"it waits for {lost[0].name}")

    def _set_aside(self, cell: Cell, why: str) -> None:
        self._waiting.remove(cell)
        self.blocked.append(cell)
        self._progress.event(f"blocked   {cell.name}: {why}")

    def _settle(self, training: Training, code: int) -> None:
        """File a process that has ended as finished, diverged, to be tried again, or failed."""
        cell = training.cell
        if code == 0 and cell.read(cell.results):
            training.record("finished")
            self._timing.learn(cell, training.seconds)
            but = ", but lost all foreground: its rate is too high" if cell.has_lost_foreground else ""
            self._progress.event(f"finished  {cell.name} in {clock(training.seconds)}{but}")
            return
        divergence = cell.read(DIVERGED)
        if cell.setting and divergence:
            training.record("diverged", why="its loss or its weights are not finite any more")
            self._progress.event(f"diverged  {cell.name}: the choice is among the other settings")
            return
        why = f"it diverged, {divergence['why']}" if divergence else _why(code, cell.results)
        again = not divergence and self._attempts[cell.name] < ATTEMPTS  # the same training diverges again
        training.record("interrupted" if again else "failed", why=why)
        if again:
            self._waiting.append(cell)
            self._progress.event(f"retrying  {cell.name}: {why}; see {cell.folder / LOG}")
        else:
            self.failed.append(cell)
            self._progress.event(f"failed    {cell.name}: {why}; the end of {cell.folder / LOG}:\n{last_lines(cell)}")

    def _show(self) -> None:
        done = self._total - len(self._waiting) - len(self._running)
        running = [(training.cell, training.seconds) for training in self._running]
        remaining = self._timing.remaining(self._waiting, running, self._suite.workers)
        self._progress.show(done, self._total, self._running, remaining)

    def _stop(self) -> None:
        for training in self._running:
            training.ask_to_end()
        for training in self._running:
            training.end()
            training.record("interrupted")


def prepare(suite: Suite, progress: Progress) -> None:
    """Run the suite's PREPARE command in this terminal.

    Raises:
        PrepareError: it failed; its own output, above the message, says why.
    """
    if not suite.prepare:
        return
    progress.event(f"preparing: {suite.prepare}")
    command = [sys.executable, *shlex.split(suite.prepare)]
    code = subprocess.run(command, stdin=subprocess.DEVNULL, preexec_fn=bound_to_this()).returncode
    if code:
        raise PrepareError(f"PREPARE: `{suite.prepare}` ended with {_why(code, 'its output')}; see its output above")
    if suite.prepared and not Path(suite.prepared).is_file():
        raise PrepareError(f"PREPARED names {suite.prepared}, which `{suite.prepare}` has not made; fix one of them")


def last_lines(cell: Cell) -> str:
    """The end of a cell's log."""
    log = cell.folder / LOG
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    return "\n".join(text.splitlines()[-LOG_LINES:])


def _why(code: int, results: str = RESULTS) -> str:
    if code == 0:
        return f"it ended without {results}"
    return f"exit code {code}" if code > 0 else f"killed by {signal.Signals(-code).name}"
