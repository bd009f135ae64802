"""Batches made by threads of the run's own process, in place of loader processes."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import cv2
import torch

_AHEAD = 2  # batches that are made or wait for each thread, as PyTorch's loader has them for each process


class ThreadedLoader:
    """Makes the batches of a data set that a `DataLoader` makes, in the same order.

    Decoding and resizing leave the interpreter to other threads, and what they make need not be sent from process to
    process. An error of a sample is raised where its batch would come.

    Args:
        samples: the data set; several threads read it at a time.
        batches: yields the indices of the samples of each batch.
        collate: makes a batch of its samples.
        threads: their number, >= 1.
    """

    def __init__(self, samples: Any, batches: Any, collate: Callable[[list], Any], threads: int):
        self.dataset = samples
        self.batch_sampler = batches
        self.collate_fn = collate
        self._threads = threads
        torch.get_num_threads()  # settles this thread's own number, before those of the loader set theirs

    def __len__(self) -> int:
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[Any]:
        coming: deque[Future] = deque()
        with ThreadPoolExecutor(self._threads, initializer=_start_thread) as pool:
            try:
                for indices in self.batch_sampler:
                    coming.append(pool.submit(self._make, indices))
                    if len(coming) >= _AHEAD * self._threads:
                        yield coming.popleft().result()
                while coming:
                    yield coming.popleft().result()
            finally:  # nobody wants the rest
                pool.shutdown(wait=False, cancel_futures=True)

    def _make(self, indices: Sequence) -> Any:
        return self.collate_fn([self.dataset[index] for index in indices])


def _start_thread() -> None:
    """Keep a thread from starting threads of its own, as they are kept from it in loader processes."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)  # of this thread, and of those that first use torch later
