"""An epoch: what must be known of all records before its first draw, and its list, looked up and never written down."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from igdet.data.draws.randomness import Stream, hashed, keys
from igdet.sampling import CHUNK, PHI, count_labels, rarest_labels, replicate_counted
from igdet.utils.cache import made_once
from igdet.utils.files import map_array, release

# Replication factors in fixed point, so that their sums are exact and the same on every machine: a factor is off by at
# most 2^-25, and an epoch's list can be 2^39 = 5.5e11 long.
FRACTION_BITS = 24
# Records between two known sums: a look-up goes through one block. The sums of 3.5 billion records are
# 3.5e9 / 512 * 8 bytes = 55 MB.
BLOCK = 512
_VERSION = "1"  # to be raised whenever the same records give other files


assert CHUNK % BLOCK == 0


@dataclass(frozen=True)
class LabelUse:
    """How records use labels: all that resampling asks of them, whichever it is.

    Attributes:
        counts: int64 (L,): records that carry each label.
        by_rarest: int64 (L,): records whose rarest label each is.
        rarest: unsigned (N,): the rarest label of each record; see `igdet.sampling.rarest_labels`.
    """

    counts: np.ndarray
    by_rarest: np.ndarray
    rarest: np.ndarray


@dataclass(frozen=True)
class EpochPlan:
    """The list of one resampling, of some length.

    Attributes:
        rarest: unsigned (N,): the rarest label of each record.
        factors: int64 (L,): r(h) in units of 2^-24; r(I) is that of the rarest label.
        block_ends: int64 (B,): the sum of r(I) up to the end of each block, in the same units.
    """

    rarest: np.ndarray
    factors: np.ndarray
    block_ends: np.ndarray


def use_labels(offsets: np.ndarray, ids: np.ndarray, folder: Path | None = None) -> LabelUse:
    """Find out how records use labels.

    Args:
        offsets: int64 (N + 1,): where each record's labels begin in `ids`; every record has at least one.
        ids: int (M,): label ids, distinct within a record.
        folder: where this may be kept for other processes and later runs; None for records few enough for each process
            to go through and to hold in memory.
    """
    if folder is None:
        counts = count_labels(ids)
        rarest = np.concatenate(list(rarest_labels(offsets, ids, counts)))
        return LabelUse(counts, np.bincount(rarest, minlength=len(counts)), rarest)

    def make(made: Path) -> None:
        counts = count_labels(ids)
        by_rarest = np.zeros_like(counts)
        with (made / "rarest.bin").open("wb") as file:
            for rarest in rarest_labels(offsets, ids, counts):
                by_rarest += np.bincount(rarest, minlength=len(counts))
                rarest.tofile(file)
        np.save(made / "counts.npy", np.stack([counts, by_rarest]))

    made = made_once(folder, _VERSION, make)
    counts, by_rarest = np.load(made / "counts.npy")
    return LabelUse(counts, by_rarest, map_array(made / "rarest.bin", np.min_scalar_type(len(counts)).type))


def plan_epoch(use: LabelUse, resampling: str, epoch_factor: float, folder: Path | None = None) -> EpochPlan:
    """Work out how often each record comes in an epoch's list.

    Args:
        use: of the records.
        resampling: a key of `igdet.sampling.PHI`.
        epoch_factor: length of the list in multiples of N, >= 1; sets the threshold t. Natural resampling ignores it.
        folder: where this may be kept, as `use_labels` has it.
    """
    factors = label_factors(use.counts, use.by_rarest, resampling, epoch_factor)
    if folder is None:
        return EpochPlan(use.rarest, factors, _block_ends(use.rarest, factors))
    name = f"{resampling}-{epoch_factor!r}"
    made = made_once(folder / name, _VERSION, lambda made: _block_ends(use.rarest, factors).tofile(made / "ends.bin"))
    return EpochPlan(use.rarest, factors, map_array(made / "ends.bin", np.int64))


def plan_of_records(factors: np.ndarray) -> EpochPlan:
    """Plan an epoch in which each record has a factor of its own.

    Args:
        factors: float64 (N,): how often each record comes in an epoch's list on average, >= 0, not all 0.
    """
    own = np.arange(len(factors))
    in_units = np.rint(np.ldexp(factors, FRACTION_BITS)).astype(np.int64)
    return EpochPlan(own, in_units, _block_ends(own, in_units))


def label_factors(counts: np.ndarray, by_rarest: np.ndarray, resampling: str, epoch_factor: float) -> np.ndarray:
    """Work out r(h) of every label, int64 (L,), in units of 2^-24.

    Args:
        counts, by_rarest: as `LabelUse` has them.
        resampling, epoch_factor: as `plan_epoch` has them.
    """
    if resampling not in PHI:
        raise ValueError(f"DATALOADER.RESAMPLING is one of {', '.join(PHI)}, not {resampling!r}")
    if epoch_factor < 1:
        raise ValueError(f"DATALOADER.EPOCH_FACTOR must be >= 1 (no record comes less than once), not {epoch_factor}")
    replication = replicate_counted(counts, by_rarest, resampling, epoch_factor * by_rarest.sum())
    return np.rint(np.ldexp(replication.factors, FRACTION_BITS)).astype(np.int64)


def _block_ends(rarest: np.ndarray, factors: np.ndarray) -> np.ndarray:
    sums = []
    # A chunk holds whole blocks (asserted above), so that no block's sum is cut in two.
    for start in range(0, len(rarest), CHUNK):
        of_records = factors.take(rarest[start : start + CHUNK])
        sums.append(np.add.reduceat(of_records, np.arange(0, len(of_records), BLOCK)))
        release(rarest)
    return np.cumsum(np.concatenate(sums))


class EpochList:
    """The lists of all epochs; in each, record I comes floor(r(I)) times or once more.

    Rounding is systematic (Madow and Madow, "On the theory of systematic sampling", 1944): with F(I) the sum of the
    factors before record I, and a new random offset 0 <= u < 1 every epoch, record I fills the slots from
    floor(F(I) + u) up to floor(F(I + 1) + u). So it comes once more than floor(r(I)) with exactly the probability of
    the fractional part, and the list is as long as the sum of all factors, rounded likewise. The price is that records
    of one block are not rounded independently: of neighbours with the same small fraction, seldom two come once more.
    The records of a block are rotated by a random amount every epoch, which ties no block to another.

    Args:
        plan: of the records.
        seed: the run's seed, >= 0.
    """

    def __init__(self, plan: EpochPlan, seed: int):
        self._plan = plan
        self._seed = seed
        [self._key] = keys(seed, Stream.ROUNDING, 0)

    def lengths(self, epochs: np.ndarray) -> np.ndarray:
        """Return the number of slots of some epochs, int64 as `epochs`."""
        return (self._plan.block_ends[-1] + self._shift(epochs)) >> FRACTION_BITS

    def records(self, epoch: int, slots: np.ndarray) -> np.ndarray:
        """Look up which records fill some slots.

        Args:
            epoch: >= 0.
            slots: int64 (S,), in [0, length of the epoch's list).

        Returns:
            int64 (S,): record indices.
        """
        # Slot s is filled by the first record at whose end F + u has come to s + 1.
        points = ((slots + 1) << FRACTION_BITS) - self._shift(np.array([epoch]))
        # First its block, by the known sums; then, within it, the record, by adding 512 factors up.
        blocks = np.searchsorted(self._plan.block_ends, points)
        # The slots of one block together: its factors are then gathered and added once, however many ask.
        order = np.argsort(blocks, kind="stable")
        distinct, firsts = np.unique(blocks[order], return_index=True)
        rotations = self._rotations(epoch, distinct)
        found = np.empty(len(slots), np.int64)
        for block, rotation, members in zip(distinct, rotations, np.split(order, firsts[1:]), strict=True):
            found[members] = self._in_block(int(block), int(rotation), points[members])
        return found

    def _in_block(self, block: int, rotation: int, points: np.ndarray) -> np.ndarray:
        first, start = block * BLOCK, self._plan.block_ends[block - 1] if block else 0
        ends = self._plan.factors.take(self._plan.rarest[first : first + BLOCK]).cumsum()
        before = ends[rotation % len(ends) - 1]  # of the record that comes first; all is as good as nothing
        # The block begins at that record and runs round its end: a point p in 1..total of the rotated block is the
        # point p + before, modulo the total, of the block as it lies. The two ones make the remainder 1..total, too.
        return first + np.searchsorted(ends, (points - start + before - 1) % ends[-1] + 1)

    def _shift(self, epochs: np.ndarray) -> np.ndarray:
        """u of some epochs, in units of 2^-24."""
        # The upper bits: 24 of 64 leave u uniform on the grid on which the factors lie, so that sums stay exact.
        return (hashed(self._key, epochs) >> np.uint64(64 - FRACTION_BITS)).astype(np.int64)

    def _rotations(self, epoch: int, blocks: np.ndarray) -> np.ndarray:
        [key] = keys(self._seed, Stream.ROUNDING, epoch + 1)  # 0 is the key of the offsets
        return (hashed(key, blocks) >> np.uint64(32)).astype(np.int64)
