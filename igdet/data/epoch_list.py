"""An epoch's list, in which records stand as often as they are replicated: looked up, never written down.

Shapes: N records, S slots.
"""

import numpy as np

from igdet.data.epoch_plan import BLOCK, FRACTION_BITS, EpochPlan
from igdet.data.randomness import Stream, hashed, keys


class EpochList:
    """The lists of all epochs; in each, record I stands floor(r(I)) times or once more.

    Rounding is systematic (Madow and Madow, "On the theory of systematic sampling", 1944): with F(I) the sum of the
    factors before record I, and a new random offset 0 <= u < 1 every epoch, record I fills the slots from
    floor(F(I) + u) up to floor(F(I + 1) + u). So it stands once more than floor(r(I)) with exactly the probability of
    the fractional part, and the list is as long as the sum of all factors, rounded likewise. The price is that records
    of one block are not rounded independently: of neighbours with the same small fraction, seldom two stand once more.
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
        """Give the number of slots of some epochs, int64 as `epochs`."""
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
        blocks = np.searchsorted(self._plan.block_ends, points)
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
        return first + np.searchsorted(ends, (points - start + before - 1) % ends[-1] + 1)

    def _shift(self, epochs: np.ndarray) -> np.ndarray:
        """u of some epochs, in units of 2^-24."""
        return (hashed(self._key, epochs) >> np.uint64(64 - FRACTION_BITS)).astype(np.int64)

    def _rotations(self, epoch: int, blocks: np.ndarray) -> np.ndarray:
        [key] = keys(self._seed, Stream.ROUNDING, epoch + 1)  # 0 is the key of the offsets
        return (hashed(key, blocks) >> np.uint64(32)).astype(np.int64)
