"""Ranks without anyone who cleans up after them: whoever dies or fails, the others end and name it."""

import multiprocessing
import os
import signal
import sys
import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from torch.distributed import TCPStore

from igdet.engine.heartbeat import Heartbeat

PERIOD, SILENCE = 0.05, 2.0  # seconds
CONTEXT = multiprocessing.get_context("fork")  # quick: everything is imported already
KILLED = CONTEXT.Event()
NAMES = [f"rank {rank} (box, process {rank + 70})" for rank in range(3)]
FOREVER = threading.Event()  # never set: a main thread that waits in a collective


def wait_for_ever(rank):
    FOREVER.wait()


def fail_in_one(rank):
    if rank == 1:
        raise ValueError("shard 7 is cut short\nmore")
    FOREVER.wait()


def lose_connection(rank):
    """Rank 2 is gone, and the library notices in rank 1 only, where it raises something that names nobody."""
    if rank == 1:
        KILLED.wait()
        raise RuntimeError("connection closed by peer")
    FOREVER.wait()


def finish(rank):
    pass


def stop_in_order(rank):
    raise SystemExit(0)


def rank_process(work, rank, period, log, ports, started):
    sys.stderr = log.open("w", buffering=1)  # in the place of pytest's
    os.dup2(sys.stderr.fileno(), 2)
    port = ports.get() if rank else 0
    store = TCPStore("127.0.0.1", port, is_master=rank == 0, wait_for_workers=False, timeout=timedelta(seconds=60))
    if rank == 0:
        ports.put(store.port)
        ports.put(store.port)
    with Heartbeat(store, NAMES, rank, period, SILENCE):
        started.release()
        work(rank)


@pytest.fixture
def ranks(tmp_path):
    """Start three ranks; give their processes when all have begun their work."""
    running = []

    def start(work, periods=(PERIOD,) * 3):
        ports, started = CONTEXT.SimpleQueue(), CONTEXT.Semaphore(0)
        for rank, period in enumerate(periods):
            arguments = (work, rank, period, tmp_path / f"{rank}.log", ports, started)
            running.append(CONTEXT.Process(target=rank_process, args=arguments))
            running[-1].start()
        for _ in periods:
            assert started.acquire(timeout=60)
        return running

    yield start
    for process in running:
        process.kill()
        process.join()


def ends(processes, tmp_path):
    """Exit status and message of each process; a minute's limit stands for the one of a run."""
    for process in processes:
        process.join(timeout=30)
    return [(process.exitcode, (tmp_path / f"{rank}.log").read_text()) for rank, process in enumerate(processes)]


@pytest.mark.parametrize("victim", [0, 2])
def test_the_others_end_and_name_the_one_that_was_killed(ranks, tmp_path, victim):
    processes = ranks(wait_for_ever)
    os.kill(processes[victim].pid, signal.SIGKILL)
    for rank, (status, message) in enumerate(ends(processes, tmp_path)):
        if rank == victim:
            assert status == -signal.SIGKILL
        else:
            assert status == 1
            assert f"{NAMES[rank]} stops: {NAMES[victim]} " in message
            assert "it was killed" in message


def test_the_store_stays_until_the_slowest_has_heard(ranks, tmp_path):
    processes = ranks(wait_for_ever, periods=(PERIOD, 10 * PERIOD, PERIOD))
    os.kill(processes[2].pid, signal.SIGKILL)
    _, (status, message), _ = ends(processes, tmp_path)
    assert status == 1
    assert f"{NAMES[1]} stops: {NAMES[2]} has not been heard of" in message


def test_a_rank_that_is_frozen_counts_as_dead(ranks, tmp_path):
    processes = ranks(wait_for_ever)
    os.kill(processes[1].pid, signal.SIGSTOP)
    for process in (processes[0], processes[2]):
        process.join(timeout=30)
        assert process.exitcode == 1
    assert f"{NAMES[1]} has not been heard of" in (tmp_path / "2.log").read_text()


def test_a_rank_that_fails_tells_the_others_why(ranks, tmp_path):
    processes = ranks(fail_in_one)
    statuses = ends(processes, tmp_path)
    assert [status for status, _ in statuses] == [1, 1, 1]
    for _, message in (statuses[0], statuses[2]):
        assert f"{NAMES[1]} has failed: ValueError: shard 7 is cut short." in message
    assert "Traceback" in statuses[1][1]  # its own error, as ever


def test_a_rank_that_fails_because_another_died_names_that_one(ranks, tmp_path):
    KILLED.clear()
    processes = ranks(lose_connection)
    os.kill(processes[2].pid, signal.SIGKILL)
    KILLED.set()
    statuses = ends(processes, tmp_path)
    assert f"{NAMES[1]} stops: {NAMES[2]} has not been heard of" in statuses[1][1]
    assert "connection closed by peer" in statuses[1][1]


@pytest.mark.parametrize("work", [finish, stop_in_order])
def test_a_run_that_ends_well_ends_in_silence(ranks, tmp_path, work):
    processes = ranks(work)
    assert ends(processes, tmp_path) == [(0, "")] * 3


def test_a_process_that_was_stopped_does_not_take_the_others_for_dead(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("igdet.engine.heartbeat.time.monotonic", lambda: now[0])
    store = SimpleNamespace(set=lambda *_: None, multi_get=lambda keys: [b"alive 1 "] * len(keys))
    beat = Heartbeat(store, NAMES, 0, period=1e6, silence=35.0)
    with monkeypatch.context() as patch:
        patch.setattr(beat, "_thread", SimpleNamespace(start=lambda: None))
        beat.__enter__()
    assert beat._reason_to_stop(beat._listen()) == ""
    now[0] += 600  # SIGSTOP, and SIGCONT ten minutes later: the others, stopped as well, have said nothing new yet
    assert beat._reason_to_stop(beat._listen()) == ""
    for _ in range(8):
        now[0] += 5
        reason = beat._reason_to_stop(beat._listen())
    assert "has not been heard of for 40 s" in reason
