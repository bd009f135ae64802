"""Work in several processes whose results come in the order of the work."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from igdet.curation.sharding.errors import ShardingError

_AHEAD = 2  # tasks that wait for each process, so that none is idle and no result waits long in memory

Result = TypeVar("Result")


def map_in_order(work: Callable[..., Result], tasks: Iterable[tuple], processes: int) -> Iterator[Result]:
    """Yield `work(*task)` for each task; tasks are asked for when they can be worked on.

    Args:
        work: can be pickled.
        tasks: arguments, which can be pickled.
        processes: number of processes; 1 works in this one.

    Raises:
        ShardingError: a process was killed.
    """
    if processes == 1:
        yield from (work(*task) for task in tasks)
        return
    context = multiprocessing.get_context("spawn")  # a fork would take over the locks of Arrow's threads
    with ProcessPoolExecutor(processes, context, initializer=_receive, initargs=(work,)) as pool:
        waiting: deque = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(_work, *task))
                if len(waiting) > _AHEAD * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise ShardingError(
                "a process was killed, most often because the memory was full; use fewer processes and run again"
            ) from error
        finally:
            for future in waiting:
                future.cancel()


def _receive(work: Callable) -> None:
    """Keep the work in this process: sent once, not with every task."""
    global _work_here
    _work_here = work
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End with the process that started this one: killed, it could not say so, and a new run would meet the old one."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _work(*task):
    return _work_here(*task)
