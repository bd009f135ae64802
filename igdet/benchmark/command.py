"""What the command benchmark does: run a suite, show its state, write its report."""

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

from igdet.benchmark.cells import LOG, Cell, expand, known_seeds
from igdet.benchmark.collect import Study
from igdet.benchmark.distances import measure
from igdet.benchmark.process import OTHER_CHECKER, check_configs, checker_of, locked
from igdet.benchmark.progress import Progress
from igdet.benchmark.runner import Runner, last_lines, prepare
from igdet.benchmark.selection import check_images
from igdet.benchmark.suite import Suite, visible_gpus
from igdet.benchmark.tables import cell_table
from igdet.utils.yaml import ConfigError

INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended


def run(suite: Suite, progress: Progress) -> bool:
    """Run what is not finished, keeping the report up to date, then measure distances; True when all is finished.

    Raises:
        ConfigError: there are fewer GPUs than one cell needs, a cell's config would stop it at its start, or settings
            would be chosen on images of a test set.
        LockError: another runner writes into the folder.
        PrepareError: the suite's PREPARE command failed.
    """
    if not suite.workers:
        raise ConfigError(f"GPUS is {suite.gpus}, but this process sees {len(visible_gpus())} GPUs; give GPUS 0 or 1")
    with _sigterm_interrupts(), locked(suite.folder) as lock:
        prepare(suite, progress)
        shown = _shown_cells(suite)  # once: what is finished stays so while this runs
        cells = [cell for cell in shown if cell.seed < suite.seeds]
        if left := [cell for cell in cells if not cell.is_over]:
            if not checker_of(suite):
                progress.event(f"configs are not checked: there is no {OTHER_CHECKER} beside {suite.train_script}")
            check_configs(suite, left)
            check_images(suite)
        progress.event(f"{suite.title}: {len(cells)} cells in {suite.folder}, {suite.workers} at a time")
        complete = Runner(suite, cells, lock, partial(_refresh, suite, shown, progress), progress).run()
        measure(suite, shown, progress)
    progress.event(f"report    {_write_report(Study(suite, shown))}")
    return complete


def run_to_status(suite: Suite, again: str) -> int:
    """Run, and say how to go on where something is left; return the exit status.

    Args:
        suite: the suite.
        again: the command line, as one types it.

    Raises:
        ConfigError, LockError, PrepareError: as `run`.
    """
    try:
        complete = run(suite, Progress())
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on where it stopped: {again}", file=sys.stderr)
        return INTERRUPTED
    if not complete:
        print(f"some cells failed; fix what their logs say, then the same command runs only those: {again}")
        return 1
    return 0


def study_of(suite: Suite) -> Study:
    """Return a suite with what its runs have come to so far."""
    return Study(suite, _shown_cells(suite))


def status(suite: Suite) -> str:
    """The state of every cell as a table, and why the failed ones failed."""
    study = study_of(suite)
    failures = [
        f"{run.cell.name}: {run.record.get('why', 'failed')}; "
        f"the end of {run.cell.folder / LOG}:\n{last_lines(run.cell)}"
        for run in study.runs
        if run.state == "failed"
    ]
    failures += [f"{run.cell.name}: {run.record['why']}" for run in study.runs if run.state == "broken"]
    return "\n\n".join([cell_table(study).plain(), *failures])


def report(suite: Suite) -> Path | None:
    """Write the report of what there is; returns the path of its HTML page, None where nothing has been run."""
    study = study_of(suite)
    return _write_report(study) if any(run.state != "waiting" for run in study.runs) else None


def _write_report(study: Study) -> Path:
    from igdet.benchmark.report import write_report  # now: its charts take most of a second to import

    return write_report(study)


def _refresh(suite: Suite, cells: Sequence[Cell], progress: Progress) -> None:
    """Renew the report; a figure that fails must not stop hours of training: the report at the end speaks up."""
    try:
        _write_report(Study(suite, cells))
    except Exception as error:
        progress.event(f"report    not renewed: {type(error).__name__}: {error}")


def _shown_cells(suite: Suite) -> list[Cell]:
    """The suite's cells, and those of further seeds that an earlier call has finished."""
    cells = expand(suite, known_seeds(suite))
    return [cell for cell in cells if cell.seed < suite.seeds or cell.state == "finished"]


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM end the run the way Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
