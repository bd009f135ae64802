"""Which record each numbered draw of the training takes: resampling by hashtag frequency, and exact resuming.

Shapes: N records, M labels in all.
"""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from igdet.data.randomness import Stream, generator
from igdet.sampling import PHI, record_factors, replicate


def replication_factors(offsets: np.ndarray, ids: np.ndarray, resampling: str, epoch_factor: float) -> np.ndarray:
    """Work out how often each record stands in an epoch's list.

    Args:
        offsets: int64 (N + 1,): where each record's labels begin in `ids`; every record has at least one.
        ids: int (M,): label ids, distinct within a record.
        resampling: a key of `igdet.sampling.PHI`.
        epoch_factor: length of the epoch in multiples of N, >= 1; sets the threshold t. Natural resampling ignores it.

    Returns:
        float64 (N,): the replication factors r(I) >= 1; their sum is `epoch_factor` * N, or N if natural.
    """
    if resampling not in PHI:
        raise ValueError(f"DATALOADER.RESAMPLING is one of {', '.join(PHI)}, not {resampling!r}")
    if epoch_factor < 1:
        raise ValueError(f"DATALOADER.EPOCH_FACTOR must be >= 1 (no record stands less than once), not {epoch_factor}")
    replication = replicate(offsets, ids, resampling, epoch_factor * (len(offsets) - 1))
    return np.concatenate(list(record_factors(offsets, ids, replication.factors)))


class NumberedSampler(Sampler):
    """An endless sequence of (draw number, record index), of which each rank takes every world_size-th.

    An epoch's list holds record I floor(r(I)) times, once more with the probability of r(I)'s fractional part, in
    random order; lists follow one another. List e depends on the seed and e only, so a resumed run draws what an
    unbroken one would have drawn.

    Args:
        factors: float64 (N,): replication factors r(I) >= 0.
        seed: the run's seed, >= 0, the same on all ranks.
        start_draw: number of the first draw, over all ranks.
        rank: this process, 0..world_size - 1.
        world_size: number of processes.
    """

    def __init__(self, factors: np.ndarray, seed: int, start_draw: int = 0, rank: int = 0, world_size: int = 1):
        self._whole = np.floor(factors).astype(np.int64)
        self._fraction = factors - self._whole
        self._seed = seed
        self._start_draw = start_draw
        self._rank = rank
        self._world_size = world_size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch, first_draw = self._epoch_of(self._start_draw)
        draw = self._start_draw + self._rank
        while True:
            order = self.epoch_order(epoch)
            for position in range(draw - first_draw, len(order), self._world_size):
                yield first_draw + position, int(order[position])
                draw = first_draw + position + self._world_size
            first_draw += len(order)
            epoch += 1

    def epoch_order(self, epoch: int) -> np.ndarray:
        """Give the record index of each draw of an epoch, int64 (E,)."""
        rng = generator(self._seed, Stream.EPOCH_ORDER, epoch)
        order = np.repeat(np.arange(len(self._whole)), self._copies(rng))
        rng.shuffle(order)
        return order

    def _copies(self, rng: np.random.Generator) -> np.ndarray:
        return self._whole + (rng.random(len(self._fraction)) < self._fraction)

    def _epoch_of(self, draw: int) -> tuple[int, int]:
        """Find the epoch of a draw and that epoch's first draw; only the lengths of the lists are worked out."""
        epoch, first_draw = 0, 0
        while True:
            length = int(self._copies(generator(self._seed, Stream.EPOCH_ORDER, epoch)).sum())
            if draw < first_draw + length:
                return epoch, first_draw
            epoch, first_draw = epoch + 1, first_draw + length
