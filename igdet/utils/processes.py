"""Processes that end with the one that started them, however that ends, and work that is shared out among them."""

import ctypes
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, spawn
from multiprocessing.context import BaseContext, SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from igdet.utils.errors import UserError

_PR_SET_PDEATHSIG = 1  # linux/prctl.h: the signal that this process gets when its parent ends
_AHEAD = 2  # tasks that wait for each process, so that none is idle and no result waits long in memory
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

Result = TypeVar("Result")


class ProcessKilledError(UserError):
    """A process that was to do some of the work was killed."""


def end_with(parent: int) -> None:
    """Have the kernel kill this process as soon as its parent ends; elsewhere than on Linux nothing is done.

    Args:
        parent: id of the process that started this one; where that has ended already, this one ends now.
    """
    if _LIBC:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def bound_to_this() -> Callable[[], None]:
    """Return what `subprocess.Popen` takes as its `preexec_fn`, so that the program ends with this process."""
    parent = os.getpid()
    return lambda: end_with(parent)


class _BoundProcess(SpawnProcess):
    """A spawned process that is bound before it imports anything, which can take longer than its parent lives."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:
        command_of = spawn.get_command_line
        parent = os.getpid()

        def bound_command(**handles: int) -> list[str]:
            command = command_of(**handles)
            place = command.index("-c") + 1
            bind = f"ctypes.CDLL(None).prctl({_PR_SET_PDEATHSIG}, {int(signal.SIGKILL)})"
            command[place] = f"import ctypes, os; {bind}; os.getppid() == {parent} or os._exit(1); {command[place]}"
            return command

        spawn.get_command_line = bound_command
        try:
            return SpawnProcess._Popen(process_obj)
        finally:
            spawn.get_command_line = command_of


class _BoundSpawnContext(SpawnContext):
    Process = _BoundProcess


def _contexts() -> dict[str, BaseContext]:
    return {"fork": get_context("fork"), "spawn": _BoundSpawnContext() if _LIBC else get_context("spawn")}


def map_in_order(
    work: Callable[..., Result], tasks: Iterable[tuple], processes: int, start: str = "spawn"
) -> Iterator[Result]:
    """Yield `work(*task)` for each task; tasks are asked for when they can be worked on.

    Args:
        work: can be pickled.
        tasks: arguments, which can be pickled.
        processes: number of processes; 1 works in this one.
        start: "fork" is quick, but takes over the locks of whatever threads there are; "spawn" does not.

    Raises:
        ProcessKilledError: a process was killed.
    """
    if processes == 1:
        yield from (work(*task) for task in tasks)
        return
    receive = (_receive, (work, os.getpid()))
    with ProcessPoolExecutor(processes, _contexts()[start], *receive) as pool:
        waiting: deque = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(_work, *task))
                if len(waiting) > _AHEAD * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise ProcessKilledError(
                "a process was killed, most often because the memory was full; use fewer processes and run again"
            ) from error
        finally:
            for future in waiting:
                future.cancel()


_work_here: Callable  # in a process of the pool, what it does


def _receive(work: Callable, parent: int) -> None:
    """Keep the work in this process: sent once, not with every task."""
    global _work_here
    _work_here = work
    end_with(parent)


def _work(*task: Any) -> Any:
    return _work_here(*task)
