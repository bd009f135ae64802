"""The data loader's processes: what they set up, how their batches are fetched, what is said when one is killed."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import cv2

from igdet.utils.errors import UserError
from igdet.utils.processes import end_with

GRACE = 20  # seconds; a step takes less, and schedulers wait for 30

# What asks a run to stop: schedulers, spot instances and torchrun send SIGTERM, Ctrl-C is SIGINT, a terminal that is
# closed sends SIGHUP; most of them to all processes at once.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class WorkerError(UserError):
    """A process of the data loader has died."""


def start_worker(_worker_id: int) -> None:
    """Prepare a process: no threads of OpenCV's own, an end with the training, some time after a request to stop.

    Whoever stops a run may send it to all processes at once, but the step that is under way needs its data still.
    """
    cv2.setNumThreads(0)
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:
        return
    end_with(parent.pid)
    if sys.platform == "linux":
        awaited = [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]  # as by nohup
        signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
        threading.Thread(target=_live_on, args=(awaited, parent.pid), daemon=True).start()


def _live_on(awaited: list[signal.Signals], parent: int) -> None:
    """Wait for requests to stop: the first leaves some time, one that comes again ends the process.

    The training itself asks when it is over, or fails and leaves its loader behind; then there is nothing to wait for.
    """
    seen: set[int] = set()
    while True:
        request = signal.sigwaitinfo(awaited)
        if request.si_pid == parent:
            os._exit(0)
        if request.si_signo in seen:
            os.kill(os.getpid(), signal.SIGKILL)
        seen.add(request.si_signo)
        signal.alarm(GRACE)  # its signal ends the process


def one_ahead(batches: Iterable[list]) -> Iterator[list]:
    """Yield the same batches, each of them fetched by a thread while the one before is worked on.

    The process that made a batch must lend a hand when it is fetched, but is busy with the next ones: with few cores
    that takes milliseconds.

    Args:
        batches: none of them None.
    """
    coming = iter(batches)
    batch = next(coming, None)  # starts the processes: only the main thread is told when one dies
    with ThreadPoolExecutor(1) as thread:
        while batch is not None:
            fetched = thread.submit(next, coming, None)
            yield batch
            batch = fetched.result()


def is_death(error: BaseException) -> bool:
    """Whether PyTorch says by an error that a process of the data loader has died."""
    return isinstance(error, RuntimeError) and "DataLoader worker" in str(error)


@contextmanager
def explained_death() -> Iterator[None]:
    """Say why a process of the data loader may have died, and how to go on.

    Raises:
        WorkerError: one did.
    """
    try:
        yield
    except RuntimeError as error:
        if not is_death(error):
            raise
        raise WorkerError(
            f"{str(error).splitlines()[0].rstrip('. ')}. Mostly the memory was full, or /dev/shm. No sample is lost: "
            "lower DATALOADER.NUM_WORKERS, or make room, and go on with --resume"
        ) from error
