"""Processes of the data loader that are asked to go, or killed."""

import os
import signal
import threading

import pytest
from python_process import fresh_python
from torch.utils.data import DataLoader, Dataset

from igdet.data.workers import STOP_SIGNALS, WorkerError, explained_death, one_ahead, start_worker


class Signalled(Dataset):
    """Ten numbers; its process sends itself a signal as it gives the first."""

    def __init__(self, *signals):
        self.signals = signals

    def __len__(self):
        return 10

    def __getitem__(self, index):
        for number in self.signals if index == 0 else ():
            os.kill(os.getpid(), number)
            while number in signal.sigpending():  # two of a kind at once would count as one
                os.sched_yield()
        return index


def draw(*signals):
    return [
        int(i) for i in DataLoader(Signalled(*signals), batch_size=None, num_workers=1, worker_init_fn=start_worker)
    ]


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_request_to_the_whole_run_leaves_the_data_coming(number):
    assert draw(number) == list(range(10))


@pytest.mark.parametrize("signals", [[signal.SIGKILL], [signal.SIGTERM, signal.SIGTERM]])
def test_a_killed_process_is_explained(signals):
    message = r"(?s)worker.*(killed by signal|exited unexpectedly).*lower DATALOADER.NUM_WORKERS.*--resume"
    with pytest.raises(WorkerError, match=message), explained_death():
        draw(*signals)


ABANDONED = """
import sys
from torch.utils.data import DataLoader
from igdet.data.workers import start_worker

kept = iter(DataLoader(range(1000), batch_size=None, num_workers=2, worker_init_fn=start_worker))
next(kept)
sys.exit(7)
"""


def test_a_run_that_ends_with_its_loader_half_way_ends_with_its_own_status(tmp_path):
    (tmp_path / "abandoned.py").write_text(ABANDONED)
    done = fresh_python("abandoned.py", cwd=tmp_path)
    assert done.returncode == 7, done.stderr
    assert "killed by signal" not in done.stderr


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="other"), explained_death():
        raise RuntimeError("other")


def test_a_batch_is_fetched_while_the_one_before_is_worked_on():
    second_is_fetched = threading.Event()

    def batches():
        yield [0]
        second_is_fetched.set()
        yield [1]
        yield [2]

    given = one_ahead(batches())
    assert next(given) == [0]
    assert second_is_fetched.wait(10)
    assert list(given) == [[1], [2]]
    assert list(one_ahead([])) == []


def test_what_goes_wrong_in_fetching_ahead_is_told():
    def batches():
        yield [0]
        raise WorkerError("died")

    given = one_ahead(batches())
    assert next(given) == [0]
    with pytest.raises(WorkerError, match="died"):
        next(given)
