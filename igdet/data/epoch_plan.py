"""What must be known of all records before the first draw: worked out in one go, then kept.

Shapes: N records, M labels in all, L labels, B blocks of `BLOCK` records.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from igdet.sampling import CHUNK, PHI, count_labels, rarest_labels, replicate_counted
from igdet.utils.cache import made_once
from igdet.utils.mapped import map_array, release

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
    return LabelUse(counts, by_rarest, map_array(made / "rarest.bin", np.min_scalar_type(len(counts))))


def plan_epoch(use: LabelUse, resampling: str, epoch_factor: float, folder: Path | None = None) -> EpochPlan:
    """Work out how often each record stands in an epoch's list.

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


def label_factors(counts: np.ndarray, by_rarest: np.ndarray, resampling: str, epoch_factor: float) -> np.ndarray:
    """Work out r(h) of every label, int64 (L,), in units of 2^-24.

    Args:
        counts, by_rarest: as `LabelUse` has them.
        resampling, epoch_factor: as `plan_epoch` has them.
    """
    if resampling not in PHI:
        raise ValueError(f"DATALOADER.RESAMPLING is one of {', '.join(PHI)}, not {resampling!r}")
    if epoch_factor < 1:
        raise ValueError(f"DATALOADER.EPOCH_FACTOR must be >= 1 (no record stands less than once), not {epoch_factor}")
    replication = replicate_counted(counts, by_rarest, resampling, epoch_factor * by_rarest.sum())
    return np.rint(np.ldexp(replication.factors, FRACTION_BITS)).astype(np.int64)


def _block_ends(rarest: np.ndarray, factors: np.ndarray) -> np.ndarray:
    sums = []
    for start in range(0, len(rarest), CHUNK):
        of_records = factors.take(rarest[start : start + CHUNK])
        sums.append(np.add.reduceat(of_records, np.arange(0, len(of_records), BLOCK)))
        release(rarest)
    return np.cumsum(np.concatenate(sums))
