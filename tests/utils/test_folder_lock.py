"""A folder is worked in by one process at a time."""

import multiprocessing

import pytest

from igdet.utils.folder_lock import LockError, locked


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
