"""Which record each numbered draw of the training takes: resampling by hashtag frequency, and exact resuming.

Shapes: N records, M labels in all, L label ids.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
from torch.utils.data import Sampler

from igdet.data.randomness import Stream, generator

# phi of r(h) = max(1, phi(t / f(h))); natural resampling has no threshold t.
PHI: dict[str, Callable[[np.ndarray], np.ndarray] | None] = {
    "natural": None,
    "square_root": np.sqrt,
    "uniform": np.positive,
}
BISECTIONS = 60  # halvings of log t: leaves the threshold exact to the last bits of a double


def replication_factors(offsets: np.ndarray, ids: np.ndarray, resampling: str, epoch_factor: float) -> np.ndarray:
    """Work out how often each record stands in an epoch's list.

    The paper's resampling of the hashtag distribution (arXiv 1805.00932, section 2.1).

    Args:
        offsets: int64 (N + 1,): where each record's labels begin in `ids`; every record has at least one.
        ids: int (M,): label ids, distinct within a record.
        resampling: a key of `PHI`.
        epoch_factor: length of the epoch in multiples of N, >= 1; sets the threshold t. Natural resampling ignores it.

    Returns:
        float64 (N,): the replication factors r(I) >= 1; their sum is `epoch_factor` * N.
    """
    if resampling not in PHI:
        raise ValueError(f"DATALOADER.RESAMPLING is one of {', '.join(PHI)}, not {resampling!r}")
    if epoch_factor < 1:
        raise ValueError(f"DATALOADER.EPOCH_FACTOR must be >= 1 (no record stands less than once), not {epoch_factor}")
    num_records = len(offsets) - 1
    phi = PHI[resampling]
    if phi is None:
        return np.ones(num_records)
    # 1. For each label, the share of records that carry it: f(h)
    label_counts = np.bincount(ids)
    # 2. r(h) falls with f(h), so max over h in I of r(h) is r of the record's rarest label.
    rarest = np.minimum.reduceat(label_counts[ids], offsets[:-1])  # (N,)
    rarest_counts, inverse, num_of_count = np.unique(rarest, return_inverse=True, return_counts=True)
    frequencies = rarest_counts / num_records
    # 3. The threshold t for which the sum over I of r(I) is the epoch's budget
    threshold = _solve_threshold(frequencies, num_of_count, phi, epoch_factor * num_records)
    # 4. r(h) = max(1, phi(t / f(h)))
    return np.maximum(1.0, phi(threshold / frequencies))[inverse]


def _solve_threshold(frequencies: np.ndarray, num_records: np.ndarray, phi: Callable, budget: float) -> float:
    """Find t by bisection: the total is continuous in t and never falls.

    Args:
        frequencies: float64 (F,): the distinct frequencies of the records' rarest labels.
        num_records: int (F,): how many records have each.
        phi: see `PHI`.
        budget: the total to meet, >= the number of records.
    """
    # At the lowest frequency every factor is 1; phi(t / f) >= budget / N for all f when t = max f * (budget / N)^2.
    low = math.log(frequencies.min())
    high = math.log(frequencies.max()) + 2 * math.log(budget / num_records.sum())
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        total = num_records @ np.maximum(1.0, phi(math.exp(middle) / frequencies))
        low, high = (middle, high) if total < budget else (low, middle)
    return math.exp(high)


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
