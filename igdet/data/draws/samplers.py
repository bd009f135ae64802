"""Which record each numbered draw of the training takes: resampling by hashtag frequency, and exact resuming."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from igdet.data.draws.epoch import EpochList
from igdet.data.draws.randomness import ROUNDS, Permutation, Stream, keys

_LOOK_UPS = 1024  # draws computed together: about 5 ms, which no step of a training notices
_EPOCHS = 4096  # epochs whose lengths are added up together


class NumberedSampler(Sampler):
    """An endless sequence of (draw number, record index), of which each rank takes every world_size-th.

    The draws of an epoch take its list in random order; epochs follow one another. Which record a draw takes depends
    on the records, the seed and the draw's number only, so a resumed run draws what an unbroken one would have drawn,
    on any number of processes. Nothing is stored: memory does not grow with the number of records.

    Args:
        epoch_list: which records fill the slots of each epoch's list.
        seed: the run's seed, >= 0, the same on all ranks.
        start_draw: number of the first draw, over all ranks.
        rank: this process, 0..world_size - 1.
        world_size: number of processes.
    """

    def __init__(self, epoch_list: EpochList, seed: int, start_draw: int = 0, rank: int = 0, world_size: int = 1):
        self._list = epoch_list
        self._seed = seed
        self._start_draw = start_draw
        self._rank = rank
        self._world_size = world_size

    def starting(self, draw: int) -> "NumberedSampler":
        """Return the same sequence from another draw on."""
        return NumberedSampler(self._list, self._seed, draw, self._rank, self._world_size)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch, first = self._epoch_of(self._start_draw)
        # Draw n belongs to rank (n - start) mod world_size; look-ups are done for many of a rank's draws at once.
        draw = self._start_draw + self._rank
        while True:
            end = first + self._length(epoch)
            for start in range(draw, end, _LOOK_UPS * self._world_size):
                draws = np.arange(start, min(start + _LOOK_UPS * self._world_size, end), self._world_size)
                yield from zip(draws.tolist(), self.records(epoch, draws - first).tolist(), strict=True)
                draw = int(draws[-1]) + self._world_size
            epoch, first = epoch + 1, end

    def records(self, epoch: int, positions: np.ndarray | None = None) -> np.ndarray:
        """Return the records of some draws of an epoch, by default all.

        Args:
            epoch: >= 0.
            positions: int64 (n,): which of the epoch's draws, from 0.

        Returns:
            int64 (n,): record indices.
        """
        length = self._length(epoch)
        order = Permutation(length, keys(self._seed, Stream.EPOCH_ORDER, epoch, ROUNDS))
        return self._list.records(epoch, order(np.arange(length) if positions is None else positions))

    def _length(self, epoch: int) -> int:
        return int(self._list.lengths(np.array([epoch]))[0])

    def _epoch_of(self, draw: int) -> tuple[int, int]:
        """Find the epoch of a draw and that epoch's first draw."""
        # Lengths differ by one with the rounding of each epoch, so they are added up, thousands at once.
        epoch, first = 0, 0
        while True:
            ends = first + np.cumsum(self._list.lengths(np.arange(epoch, epoch + _EPOCHS)))
            passed = int(np.searchsorted(ends, draw, side="right"))
            epoch, first = epoch + passed, int(ends[passed - 1]) if passed else first
            if passed < _EPOCHS:
                return epoch, first
