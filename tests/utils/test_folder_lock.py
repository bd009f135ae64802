"""A folder is worked in by one process at a time."""

import errno
import fcntl
import multiprocessing
from contextlib import nullcontext

import pytest

from igdet.utils.cache import LockError, locked


def test_a_second_lock_is_refused_until_the_first_ends(tmp_path):
    with (
        locked(tmp_path / "new"),
        pytest.raises(LockError, match="new: another run is at work"),
        locked(tmp_path / "new"),
    ):
        pass
    with locked(tmp_path / "new"):
        pass


def test_a_process_can_wait_for_the_lock(tmp_path):
    context = multiprocessing.get_context("fork")
    held = context.Event()

    def hold():
        with locked(tmp_path), (tmp_path / "lines").open("w") as file:
            held.set()
            file.writelines(f"{line}\n" for line in range(100_000))  # while the other process waits

    process = context.Process(target=hold)
    process.start()
    assert held.wait(timeout=60)
    with locked(tmp_path, wait=True):
        assert (tmp_path / "lines").read_text().endswith("99999\n")
    process.join()


@pytest.mark.parametrize("inherited", [True, False])
def test_a_process_forked_meanwhile_keeps_the_lock_only_where_it_should(tmp_path, inherited):
    context = multiprocessing.get_context("fork")
    begun, ended = context.Event(), context.Event()
    with locked(tmp_path, inherited=inherited):
        process = context.Process(target=lambda: (begun.set(), ended.wait(60)))
        process.start()
        assert begun.wait(60)
    try:
        with pytest.raises(LockError) if inherited else nullcontext(), locked(tmp_path):
            pass
    finally:
        ended.set()
        process.join()


def test_a_file_system_without_locks_is_worked_on_with_a_warning(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path):
        assert "its file system has no locks" in caplog.text
