"""Random numbers and orders of billions of things, computed from the seed and a number, never stored."""

import hashlib
import math
from enum import IntEnum

import numpy as np

# SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
# Luby and Rackoff prove 4 enough for long halves; orders of 5 or 6 things are not uniform after 8, but after 16.
ROUNDS = 16


class Stream(IntEnum):
    """What the random numbers are for: streams of one seed share nothing."""

    EPOCH_ORDER = 0
    DRAW = 1
    ROUNDING = 2
    LABEL_NOISE = 3
    SHARD_ORDER = 4
    BUFFER_ORDER = 5
    SUBSET = 6
    STEP = 7
    SOURCE = 8


def generator(seed: int, stream: Stream, number: int) -> np.random.Generator:
    """Make the generator of one draw.

    Args:
        seed: the run's seed, >= 0.
        stream: what the numbers are for.
        number: the draw's number, >= 0.
    """
    return np.random.default_rng((seed, int(stream), number))


def keys(seed: int, stream: Stream, number: int, count: int = 1) -> np.ndarray:
    """Make the keys, uint64 (count,), of what is hashed: see `generator` for the arguments."""
    return np.random.SeedSequence((seed, int(stream), number)).generate_state(count, np.uint64)


def uniform(key: np.uint64, numbers: np.ndarray) -> np.ndarray:
    """Return a random number in [0, 1) for each number, float64 in their shape: the upper 53 bits of `hashed`."""
    return np.ldexp((hashed(key, numbers) >> np.uint64(11)).astype(float), -53)


def hashed(key: np.uint64, numbers: np.ndarray) -> np.ndarray:
    """Return random bits for numbers, in no order: for one key, the outputs of SplitMix64 at these places.

    Args:
        key: one of `keys`.
        numbers: int64 or uint64 (n,).

    Returns:
        uint64 (n,).
    """
    # The generator's state after n steps is key + n * golden, whatever n: any output can be had without the others.
    bits = numbers.astype(np.uint64) * _GOLDEN + key  # modulo 2^64, as everything here
    # Its finaliser: shifts bring upper bits down, odd factors carry lower bits up, until each depends on all.
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))


def name_number(name: str) -> int:
    """Return a number for a name, 0..2^64 - 1, the same in every process, unlike `hash`."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


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
        """Return what is at some positions.

        Args:
            positions: int64 (n,), in 0..size - 1.

        Returns:
            int64 (n,), in 0..size - 1.
        """
        # Cycle walking: the cipher permutes rows * columns numbers, and following it from a number inside must come
        # back inside; at most a column lies outside, so hardly any number takes a second round.
        values = self._encipher(np.asarray(positions, np.int64))
        while (outside := np.flatnonzero(values >= self.size)).size:
            values[outside] = self._encipher(values[outside])
        return values

    def _encipher(self, values: np.ndarray) -> np.ndarray:
        # Each line can be undone, by taking off the hash of the half that it left as it is: hence one to one.
        row, column = np.divmod(values, self._columns)
        for even, odd in zip(self._keys[::2], self._keys[1::2], strict=True):
            row = (row + _bits(even, column)) % self._rows
            column = (column + _bits(odd, row)) % self._columns
        return row * self._columns + column


def _bits(key: np.uint64, half: np.ndarray) -> np.ndarray:
    """Hash one half to 48 bits: the sum with the other half, below 2^31, cannot overflow."""
    return (hashed(key, half) >> np.uint64(16)).astype(np.int64)
