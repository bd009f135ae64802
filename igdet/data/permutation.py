"""Random orders of billions of things that are computed, place by place, and never stored."""

import math

import numpy as np

from igdet.data.randomness import hashed

# Luby and Rackoff prove 4 enough for long halves; orders of 5 or 6 things are not uniform after 8, but after 16.
ROUNDS = 16


class Permutation:
    """A keyed pseudo-random permutation of 0..size - 1.

    A number n is split into the halves n // a and n % a, with a the root of the size rounded up, and each half in turn
    is shifted by a hash of the other: a Feistel network. What falls outside of the size is enciphered again until it
    falls inside, which keeps the mapping one to one (Black and Rogaway, "Ciphers with arbitrary finite domains",
    CT-RSA 2002, methods 2 and 3). The rectangle of the halves is less than a column larger than the size.

    Args:
        size: 1..2^62.
        keys: uint64 (R,): a key a round, R even; equal keys give equal permutations.
    """

    def __init__(self, size: int, keys: np.ndarray):
        self.size = size
        self._keys = keys
        self._columns = math.isqrt(size - 1) + 1
        self._rows = -(-size // self._columns)

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        """Give what stands at some positions.

        Args:
            positions: int64 (n,), in 0..size - 1.

        Returns:
            int64 (n,), in 0..size - 1.
        """
        values = self._encipher(np.asarray(positions, np.int64))
        while (outside := np.flatnonzero(values >= self.size)).size:
            values[outside] = self._encipher(values[outside])
        return values

    def _encipher(self, values: np.ndarray) -> np.ndarray:
        row, column = np.divmod(values, self._columns)
        for even, odd in zip(self._keys[::2], self._keys[1::2], strict=True):
            row = (row + _bits(even, column)) % self._rows
            column = (column + _bits(odd, row)) % self._columns
        return row * self._columns + column


def _bits(key: np.uint64, half: np.ndarray) -> np.ndarray:
    """Hash one half to 48 bits: the sum with the other half, below 2^31, cannot overflow."""
    return (hashed(key, half) >> np.uint64(16)).astype(np.int64)
