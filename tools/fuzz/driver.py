"""Fuzzing in a process that may die: what it died of is a fault, and another process goes on behind it."""

import logging
import multiprocessing
import shutil
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from fuzz.inputs import Inputs, temporary_folder
from fuzz.judging import READ, REFUSED, watch_processes

HUNG = 120  # an input has up to six entries; after that the process sleeps, or hears no signal any more
START = 300  # seconds for a process to import everything and to read the sound files


@dataclass
class Tally:
    """What came of the inputs of a kind.

    Attributes:
        inputs: how many there were.
        refused: those that at least one entry refused.
        seconds: wall clock.
        faults: what is at fault -> the inputs' numbers.
    """

    inputs: int = 0
    refused: int = 0
    seconds: float = 0.0
    faults: dict[str, list[int]] = field(default_factory=dict)

    def add(self, number: int, outcomes: list[str]) -> list[str]:
        """Count an input; return its faults."""
        self.inputs += 1
        self.refused += REFUSED in outcomes
        faults = sorted(set(outcomes) - {READ, REFUSED})
        for fault in faults:
            self.faults.setdefault(fault, []).append(number)
        return faults


def fuzz(kind: str, seed: int, numbers: range, kept: Path | None = None) -> Tally:
    """Judge inputs of one kind.

    Args:
        kind: a key of `KINDS`.
        seed: of the dice.
        numbers: which inputs.
        kept: where the first faulty inputs of each sort are put, if anywhere.
    """
    started, tally, shown = time.monotonic(), Tally(), Counter()
    with temporary_folder() as folder:
        while tally.inputs < len(numbers):
            left = numbers[tally.inputs :]
            for number, outcomes in zip(left, _judged(kind, seed, left, Path(folder)), strict=False):
                for fault in tally.add(number, outcomes):
                    sort = fault.partition(": ")[0]
                    shown[sort] += 1
                    if kept and shown[sort] <= 3:
                        _keep(Path(folder), kept / f"{kind} {seed} {number}".replace(" ", "-"), fault)
    tally.seconds = time.monotonic() - started
    return tally


def _keep(folder: Path, kept: Path, fault: str) -> None:
    shutil.rmtree(kept, ignore_errors=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder / "now/input", kept, symlinks=True)
    (kept / "fault.txt").write_text(fault + "\n")


def _judged(kind: str, seed: int, numbers: range, folder: Path) -> Iterator[list[str]]:
    """Yield what comes of each input until a process dies; its death is what comes of the last."""
    shutil.rmtree(folder / "now", ignore_errors=True)
    (folder / "now").mkdir()
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_work, args=(kind, seed, numbers, folder / "now", there), daemon=True)
    process.start()
    there.close()
    try:
        if not here.poll(START) or not _is_ready(here):
            raise RuntimeError(f"{kind}: the process that reads them does not start; see its message above")
        for _ in numbers:
            if not here.poll(HUNG):
                yield [f"hangs for more than {HUNG} s"]
                return
            yield here.recv()
            here.send(None)  # the next input may take the place of this one
    except EOFError:
        process.join()
        yield [f"ends the process: exit code {process.exitcode}"]
    finally:
        process.kill()
        process.join()


def _is_ready(process: Connection) -> bool:
    try:
        return process.recv()
    except EOFError:
        return False


def _work(kind: str, seed: int, numbers: range, folder: Path, parent: Connection) -> None:
    logging.basicConfig(handlers=[_ToStderr()])
    warnings.simplefilter("ignore")
    inputs = Inputs(kind, seed, folder)
    inputs.check_sound()
    watch_processes()
    parent.send(True)
    for number in numbers:
        parent.send(inputs.outcomes(number))
        parent.recv()


class _ToStderr(logging.Handler):
    """What is logged, where the judge sees it: on what stands for stderr at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)
