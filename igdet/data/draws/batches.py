"""Numbered batches of numbered draws: images of one shape together, the same however many processes share them."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from igdet.data.draws.samplers import NumberedSampler


class NumberedBatches(Sampler):
    """An endless sequence of batches, lists of (draw number, record index), of which each rank takes its share.

    Draws are taken in order and put aside by their records' groups; a group that fills a batch is the next one, so that
    a batch, over all ranks, is of one group. Which draws a batch has depends on their order and the batch's number
    only: a resumed run, on any number of processes, goes through the numbers of the draws before, a million in about a
    second, and goes on.

    Args:
        draws: all draws, those of one process.
        groups: int (N,): the group of each record.
        size: draws in a batch, over all ranks.
        start: number of the first batch.
        rank: this process, 0..world_size - 1.
        world_size: number of processes, a divisor of `size`.
    """

    def __init__(
        self,
        draws: NumberedSampler,
        groups: np.ndarray,
        size: int,
        start: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ):
        self._draws = draws
        self._groups = groups.tolist()
        self._size = size
        self._start = start
        self._share = slice(rank, None, world_size)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        waiting: dict[int, list[tuple[int, int]]] = {group: [] for group in set(self._groups)}
        number = 0
        for draw in self._draws:
            batch = waiting[self._groups[draw[1]]]
            batch.append(draw)
            if len(batch) == self._size:
                if number >= self._start:
                    yield batch[self._share]
                number += 1
                batch.clear()
