"""Where work is done: by processes of this machine, or in a cluster."""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Generic, NamedTuple, TypeVar

from igdet.curation.engine import cluster
from igdet.curation.engine.frames import set_up
from igdet.utils import processes
from igdet.utils.messages import did_you_mean, shown
from igdet.utils.yaml import ConfigError

Result = TypeVar("Result")


class _Runner(NamedTuple):
    """A way to work.

    Attributes:
        start: is given the address of the cluster.
        map_in_order: is given the work, the tasks and the number of processes.
    """

    start: Callable[[str], None]
    map_in_order: Callable[[Callable, Iterable[tuple], int], Iterator]


RUNNERS = {
    "native": _Runner(lambda address: None, processes.map_in_order),
    "ray": _Runner(cluster.join, lambda work, tasks, processes: cluster.map_in_order(work, tasks)),
}
_runner = RUNNERS["native"]  # of this process


@dataclass(frozen=True)
class EngineSettings:
    """Where the work is done.

    Attributes:
        runner: "native" for this machine, "ray" for a cluster.
        address: of a running Ray cluster; "" starts a local one.
        slice_mb: megabytes of input that are worked on at a time, and lost when the run is killed; > 0. On this
            machine more than 64 for each CPU gains nothing, less leaves CPUs idle; in a cluster a slice has one CPU.
    """

    runner: str = "native"
    address: str = ""
    slice_mb: float = 256.0

    def __post_init__(self) -> None:
        if not self.slice_mb > 0:
            raise ConfigError(f"ENGINE.SLICE_MB must be > 0, not {self.slice_mb}")


def start(settings: EngineSettings) -> None:
    """Start the engine; a process can do so with one runner only.

    Raises:
        ConfigError: there is no such runner.
    """
    if settings.runner not in RUNNERS:
        known = ", ".join(RUNNERS)
        raise ConfigError(
            f"ENGINE.RUNNER: {shown(settings.runner)} is none of {known}{did_you_mean(settings.runner, RUNNERS)}"
        )
    _start(settings.runner, settings.address)


@lru_cache
def _start(runner: str, address: str) -> None:
    global _runner
    set_up()
    RUNNERS[runner].start(address)
    _runner = RUNNERS[runner]


class Done(NamedTuple, Generic[Result]):
    """An item that was worked on.

    Attributes:
        result: what came of it.
        seconds: that it took.
        host: name of the machine.
    """

    result: Result
    seconds: float
    host: str


def map_in_order(work: Callable[..., Result], tasks: Iterable[tuple], processes: int = 1) -> Iterator[Done[Result]]:
    """Do `work(*task)` for each task, and yield the results in the order of the tasks.

    Args:
        work: can be pickled; doing the same task twice, even at one time, must do no harm: in a cluster it is done
            again when its machine is lost.
        tasks: arguments, which can be pickled; asked for when they can be worked on.
        processes: of this machine; 1 works in this process. A cluster has all its CPUs work instead.

    Raises:
        ProcessKilledError: a process was killed; in a cluster, again and again.
    """
    return _runner.map_in_order(partial(_timed, work), tasks, processes)


def _timed(work: Callable[..., Result], *task: object) -> Done[Result]:
    started = time.monotonic()
    result = work(*task)
    return Done(result, time.monotonic() - started, platform.node())


@contextmanager
def at_once() -> Iterator[None]:
    """Have a command that ends on an error end at once.

    Threads of Daft may be at work still, and Python crashes when they outlive it.
    """
    try:
        yield
    except SystemExit as end:
        status = _status_of(end)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _status_of(end: SystemExit) -> int:
    """Return the exit status, as Python itself makes it of what was raised: a text is printed, and is a failure."""
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr, flush=True)
    return 1
