"""Numbered batches of numbered draws: images of one shape together, the same however many processes share them."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from igdet.data.draws.samplers import NumberedSampler


class NumberedBatches(Sampler):
    """An endless sequence of batches, lists of (draw number, record index), of which each rank takes its share.

    Draws are taken in order and put aside by their records' groups; a group that fills a batch is the next one, so that
    a batch, over all ranks, is of one group. Which draws a batch has depends on their order and the batch's number
    only: a resumed run, on any number of processes, goes on with the batches of an unbroken one. It goes through the
    numbers of the draws before again, but for the epochs whose batches can be counted without.

    Args:
        draws: all draws, those of one process.
        groups: int (N,): the group of each record, from 0.
        repetitions: float (N,): how often each record comes in an epoch, on average.
        size: draws in a batch, over all ranks.
        start: number of the first batch.
        rank: this process, 0..world_size - 1.
        world_size: number of processes, a divisor of `size`.
    """

    def __init__(
        self,
        draws: NumberedSampler,
        groups: np.ndarray,
        repetitions: np.ndarray,
        size: int,
        start: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ):
        self._draws = draws
        self._groups = groups.tolist()
        # Draws of each group in an epoch, where they are the same number in each.
        are_whole = bool((repetitions == np.rint(repetitions)).all())
        self._per_epoch = np.bincount(groups, repetitions).astype(int) if are_whole else None
        self._size = size
        self._start = start
        self._share = slice(rank, None, world_size)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        first_draw, number, missing = self._skipped()
        # What waits from before the first draw is not known, and not needed: it is in batches before the start.
        waiting: list[list] = [[None] * count for count in missing]
        for draw in self._draws.starting(first_draw):
            batch = waiting[self._groups[draw[1]]]
            batch.append(draw)
            if len(batch) == self._size:
                if number >= self._start:
                    yield batch[self._share]
                number += 1
                batch.clear()

    def _skipped(self) -> tuple[int, int, list[int]]:
        """Count past whole epochs: the draws and batches that are over, and how many draws of each group wait."""
        groups = max(self._groups) + 1
        if self._per_epoch is None:
            return 0, 0, [0] * groups
        drawn = self._per_epoch[self._per_epoch > 0]
        # After so many epochs every group has filled the batch that was waiting.
        epochs_to_fill = -(-self._size // drawn.min())
        batches = self._start - epochs_to_fill * (drawn.sum() // self._size + 1) - groups
        epochs = max(0, batches * self._size // drawn.sum())
        before = epochs * self._per_epoch
        return int(before.sum()), int((before // self._size).sum()), (before % self._size).tolist()
