"""Noticing that a rank has died or failed: the others stop within a minute and say which one it was."""

import argparse
import logging
import math
import os
import socket
import sys
import threading
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import timedelta
from urllib.parse import urlsplit

from detectron2.utils import comm
from torch.distributed import TCPStore

logger = logging.getLogger(__name__)

# 35 s of silence, a period until it is looked at and two of grace: the others end within 35 + 3 x 5 = 50 s.
PERIOD, SILENCE = 5.0, 35.0  # seconds
ALIVE, DONE, FAILED, LEFT = "alive", "done", "failed", "left"


class Heartbeat:
    """Watches over a block of work that all ranks do together.

    Collectives alone do not tell: a rank waits in them for its dead neighbour up to the timeout of the process group,
    half an hour, which must be that long because ranks wait for the main one while it evaluates. Here a thread of each
    rank says every few seconds that it lives, and looks at what the others said; clocks are not compared.

    Args:
        store: that all ranks share; rank 0 keeps it.
        names: of the ranks, for messages.
        rank: this one, 0..len(names) - 1.
        period: seconds between two signs of life.
        silence: seconds without one after which a rank counts as dead.
    """

    def __init__(self, store: TCPStore, names: list[str], rank: int, period: float = PERIOD, silence: float = SILENCE):
        self._store = store
        self._names = names
        self._rank = rank
        self._period = period
        self._silence = silence
        self._beats = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._listened = time.monotonic()
        self._heard = [("", self._listened)] * len(self._names)  # each rank's last status and when it was new
        self._say(ALIVE)
        self._thread.start()

    def __exit__(self, _kind: type | None, error: BaseException | None, _traceback: object) -> None:
        self._ended.set()
        self._thread.join()
        failed = error is not None and not (isinstance(error, SystemExit) and not error.code)
        first_line = f"{type(error).__name__}: {error}".splitlines()[0] if failed else ""
        try:
            self._say(FAILED, first_line) if failed else self._say(DONE)
            if silent := self._see_off(failed):
                self._tell(self._silence_of(silent))
            if failed:
                self._say(LEFT)
        except RuntimeError:
            self._tell(self._store_is_gone())

    def _see_off(self, failed: bool) -> set[int]:
        """Rank 0 keeps the store until nobody needs it; a rank that failed may have done so because another died.

        Returns:
            The ranks that were waited for and are silent.
        """
        others = set(range(len(self._names))) - {self._rank}
        statuses = (ALIVE, FAILED) if self._rank == 0 else (ALIVE,) if failed else ()
        until = math.inf
        # A rank that waits for nobody does not ask the store, either: it may be gone by now.
        while statuses and (waiting := others & self._ranks(self._listen(), *statuses)):
            self._say(*self._said)
            if silent := self._silent(waiting):
                until = min(until, time.monotonic() + self._silence)  # for those that have not found it yet
            if silent == waiting or time.monotonic() > until:
                return silent
            time.sleep(self._period / 10)
        return set()

    def _watch(self) -> None:
        while not self._ended.wait(self._period):
            try:
                self._say(ALIVE)
                reason = self._reason_to_stop(self._listen())
            except RuntimeError:  # of which PyTorch's network errors are a kind
                reason = self._store_is_gone()
            if reason:
                return self._leave(reason)
        return None

    def _say(self, status: str, why: str = "") -> None:
        self._said = status, why
        self._beats += 1
        self._store.set(str(self._rank), f"{status} {self._beats} {why}")

    def _listen(self) -> list[str]:
        """What every rank said last."""
        statuses = [status.decode() for status in self._store.multi_get([str(i) for i in range(len(self._names))])]
        now = time.monotonic()
        if now - self._listened > self._silence:  # this process was stopped, and perhaps the others with it
            self._heard = [(status, now) for status, _ in self._heard]
        self._listened = now
        self._heard = [
            old if old[0] == status else (status, now) for old, status in zip(self._heard, statuses, strict=True)
        ]
        return statuses

    def _reason_to_stop(self, statuses: list[str]) -> str:
        failures = [
            f"{self._names[rank]} has failed: {statuses[rank].split(' ', 2)[2]}"
            for rank in sorted(self._ranks(statuses, FAILED))
        ]
        return "; ".join(failures) or self._silence_of(self._silent(self._ranks(statuses, ALIVE)))

    def _ranks(self, statuses: list[str], *kinds: str) -> set[int]:
        return {rank for rank, status in enumerate(statuses) if status.split(" ")[0] in kinds}

    def _silent(self, ranks: set[int]) -> set[int]:
        return {rank for rank in ranks if self._seconds_since(rank) > self._silence}

    def _silence_of(self, ranks: set[int]) -> str:
        return "; ".join(
            f"{self._names[rank]} has not been heard of for {self._seconds_since(rank):.0f} s: it was killed, or its "
            "machine is down"
            for rank in sorted(ranks)
        )

    def _seconds_since(self, rank: int) -> float:
        return time.monotonic() - self._heard[rank][1]

    def _store_is_gone(self) -> str:
        return f"{self._names[0]} cannot be reached any more: it was killed, or its machine is down"

    def _leave(self, reason: str) -> None:
        """End this process, unless it is about to end by itself, with a message of its own."""
        self._tell(reason)
        with suppress(RuntimeError):  # where rank 0, which keeps the store, is what is gone
            self._say(LEFT)
            self._see_off(failed=False)
        if not self._ended.wait(self._period):
            sys.stdout.flush()
            os._exit(1)  # the main thread waits in a collective, from which no exception would wake it

    def _tell(self, reason: str) -> None:
        message = f"{self._names[self._rank]} stops: {reason}. Checkpoints are unharmed: continue with --resume"
        logger.error(message)
        print(message, file=sys.stderr, flush=True)


def heartbeat(args: argparse.Namespace) -> AbstractContextManager:
    """Watch over all ranks of this run; called by all of them together.

    Args:
        args: the command line; of Detectron2's `launch` its `dist_url` tells where rank 0 is.

    Returns:
        What the work is to be done in; for a single process it does nothing.
    """
    if comm.get_world_size() == 1:
        return nullcontext()
    host = os.environ.get("MASTER_ADDR") or urlsplit(args.dist_url).hostname or "localhost"
    rank, timeout = comm.get_rank(), timedelta(seconds=SILENCE)
    store = TCPStore(host, 0, is_master=True, wait_for_workers=False, timeout=timeout) if rank == 0 else None
    ports, names = zip(*comm.all_gather((store and store.port, _name(rank))), strict=True)
    store = store or TCPStore(host, ports[0], is_master=False, wait_for_workers=False, timeout=timeout)
    return Heartbeat(store, list(names), rank)


def _name(rank: int) -> str:
    return f"rank {rank} ({socket.gethostname()}, process {os.getpid()})"
