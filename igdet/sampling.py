"""The replication factors of resampling by hashtag frequency (arXiv 1805.00932, section 2.1).

Records are posts with their labels as flat arrays: `offsets` int64 (N + 1,) says where each record's labels begin in
`ids`, int (M,), distinct within a record. Both may be memory-mapped: they are gone through in chunks, and the pages of
a chunk are given back.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from igdet.utils.files import release

# phi of r(h) = max(1, phi(t / f(h))); natural resampling has no threshold t.
PHI: dict[str, Callable[[np.ndarray], np.ndarray] | None] = {
    "natural": None,
    "square_root": np.sqrt,
    "uniform": np.positive,
}
BISECTIONS = 60  # halvings of log t: leaves the threshold exact to the last bits of a double
REACH = 600.0  # log t is sought so far from its start: exp(600) / f stays a double for any frequency down to 1e-40
CHUNK = 2**18  # records in memory at once: their arrays stay in the processor's cache
THREADS = 4  # NumPy lets other threads work while it gathers and reduces


@dataclass(frozen=True)
class Replication:
    """How often an epoch's list holds what carries a label.

    Attributes:
        counts: int64 (L,): records that carry each label.
        threshold: t > 0, or None for natural resampling.
        factors: float64 (L,): r(h) >= 1; 1 for a label that no record carries.
    """

    counts: np.ndarray
    threshold: float | None
    factors: np.ndarray


def replicate(offsets: np.ndarray, ids: np.ndarray, resampling: str, budget: float, num_labels: int = 0) -> Replication:
    """Work out r(h) of every label such that the sum of r(I) over the records is the budget.

    Args:
        offsets: int64 (N + 1,); a record without labels is in no list and counts nowhere.
        ids: int (M,), in [0, L).
        resampling: a key of `PHI`.
        budget: length of the epoch's list, >= the number of records with labels. Natural resampling ignores it.
        num_labels: L, when the last labels may be carried by no record.

    Returns:
        The counts, the threshold and the factors; `record_factors` returns r(I) of them.

    Raises:
        ValueError: the budget is smaller than the number of records, none of which can come less than once.
    """
    counts = count_labels(ids, num_labels)
    by_rarest = np.zeros(0, np.int64) if PHI[resampling] is None else count_by_rarest(offsets, ids, counts)
    return replicate_counted(counts, by_rarest, resampling, budget)


def replicate_counted(counts: np.ndarray, by_rarest: np.ndarray, resampling: str, budget: float) -> Replication:
    """Work out the same of what is known of records that are not at hand.

    Args:
        counts: int64 (L,): records that carry each label.
        by_rarest: int64 (L,): what `count_by_rarest` returns; natural resampling needs none.
        resampling, budget: as `replicate` has them.
    """
    factors, phi, num_records = np.ones(len(counts)), PHI[resampling], int(by_rarest.sum())
    if phi is None or not num_records:
        return Replication(counts, None, factors)
    if budget < num_records:
        raise ValueError(f"no list of {budget:,.0f} can hold each of {num_records:,} records once")
    rarest, carried = by_rarest > 0, counts > 0
    threshold = _solve_threshold(counts[rarest], by_rarest[rarest], num_records, phi, budget)
    # r(h) = max(1, phi(t / f(h))): what is rarer than t is repeated, what is more frequent is there once.
    frequencies = counts[carried] / num_records  # f(h)
    factors[carried] = np.maximum(1.0, phi(threshold / frequencies))
    return Replication(counts, threshold, factors)


def record_factors(offsets: np.ndarray, ids: np.ndarray, label_factors: np.ndarray) -> Iterator[np.ndarray]:
    """Yield r(I) = max over h in I of r(h), 0 for a record without labels.

    Args:
        offsets: int64 (N + 1,).
        ids: int (M,).
        label_factors: float64 (L,): r(h).

    Yields:
        float64 (n,): the factors of the next n records.
    """
    for chunk_offsets, chunk_ids in chunks(offsets, ids):
        yield _reduce(np.maximum, label_factors.take(chunk_ids), chunk_offsets)


def chunks(offsets: np.ndarray, ids: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut flat arrays into ones of at most `CHUNK` records.

    Yields:
        offsets int64 (n + 1,) from 0, and ids (m,), of the next n records.
    """
    for start in range(0, len(offsets) - 1, CHUNK):
        part = np.asarray(offsets[start : start + CHUNK + 1])
        yield part - part[0], np.asarray(ids[part[0] : part[-1]])
        release(offsets, ids)


def count_labels(ids: np.ndarray, num_labels: int = 0) -> np.ndarray:
    """Count the records that carry each label, int64 (L,); L is `num_labels` or more."""
    counts = np.zeros(num_labels, dtype=np.int64)
    for start in range(0, len(ids), CHUNK):
        part = np.bincount(ids[start : start + CHUNK], minlength=len(counts))
        part[: len(counts)] += counts
        counts = part
        release(ids)
    return counts


def rarest_labels(offsets: np.ndarray, ids: np.ndarray, counts: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rarest label of each record, which alone decides on r(I), as r(h) falls with f(h).

    Args:
        offsets: int64 (n + 1,), ids: int (m,): all records, or some of them.
        counts: int64 (L,): of all records.

    Yields:
        unsigned (n,): the rarest labels of the next n records, L for one without labels; of the labels that equally
        many records carry, the first stands for them all.
    """
    # Labels are ranked by count, so that the rarest of a record is the least of small numbers, one reduction. Equally
    # frequent labels share a rank, as they share r(h).
    _, firsts, rank = np.unique(counts, return_index=True, return_inverse=True)
    rank = (rank + 1).astype(np.int32)  # 0 is left for records without labels
    label_of = np.concatenate([[len(counts)], firsts]).astype(np.min_scalar_type(len(counts)))

    def find(chunk: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        return label_of.take(_reduce(np.minimum, rank.take(chunk[1]), chunk[0]))

    with ThreadPoolExecutor(THREADS) as pool:
        found: deque[Future[np.ndarray]] = deque()
        # A chunk more than there are threads is under way: none of them waits, and memory stays bounded.
        for chunk in chunks(offsets, ids):
            found.append(pool.submit(find, chunk))
            if len(found) > THREADS:
                yield found.popleft().result()
        yield from (future.result() for future in found)


def count_by_rarest(offsets: np.ndarray, ids: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Count the records by their rarest label, int64 (L,); see `rarest_labels` for the arguments."""
    by_rarest = np.zeros(len(counts) + 1, np.int64)
    for rarest in rarest_labels(offsets, ids, counts):
        by_rarest += np.bincount(rarest, minlength=len(by_rarest))
    return by_rarest[:-1]


def _reduce(ufunc: np.ufunc, values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Reduce the values of each record; 0 for a record without any, which reduceat alone cannot say."""
    # Of an empty range reduceat gives the value at its start, which is another record's: only filled ones are asked.
    filled = np.diff(offsets) > 0
    if filled.all():
        return ufunc.reduceat(values, offsets[:-1]) if len(filled) else values
    reduced = np.zeros(len(filled), dtype=values.dtype)
    reduced[filled] = ufunc.reduceat(values, offsets[:-1][filled]) if filled.any() else 0
    return reduced


def _solve_threshold(
    rarest: np.ndarray, records_of: np.ndarray, num_records: int, phi: Callable, budget: float
) -> float:
    """Find t by bisection: the total is continuous in t and never falls.

    Raises:
        ValueError: no t in reach gives the budget: phi grows too slowly, or lies above it everywhere.
    """
    frequencies = rarest / num_records

    # sum of r(I) over the records = sum over labels of (records whose rarest label it is) * r(h): the billions of
    # records are summed once, into `records_of`, and each trial of t costs one pass over the labels.
    def total(log_t: float) -> float:
        return records_of @ np.maximum(1.0, phi(math.exp(log_t) / frequencies))

    # Where phi(1) = 1, every factor is 1 at the lowest frequency; the square root and all that grows as fast gives
    # phi(t / f) >= budget / N for all f at t = max f * (budget / N)^2.
    low = _stepped_until(lambda log_t: total(log_t) <= budget, math.log(frequencies.min()), -1.0)
    high = math.log(frequencies.max()) + 2 * math.log(budget / num_records)
    high = _stepped_until(lambda log_t: total(log_t) >= budget, high, 1.0)
    # In log t, for frequencies span orders of magnitude: each halving then gains one bit of t's relative precision.
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if total(middle) < budget else (low, middle)
    return math.exp(high)


def _stepped_until(fits: Callable[[float], bool], log_t: float, step: float) -> float:
    """Return `log_t`, or the first point beyond it that fits, in steps that double."""
    end = log_t + math.copysign(REACH, step)
    while not fits(log_t):
        if log_t == end:
            raise ValueError(f"no threshold between exp({log_t - end:.0f}) and exp({end:.0f}) gives the budget")
        log_t, step = (min if step > 0 else max)(log_t + step, end), 2 * step
    return log_t
