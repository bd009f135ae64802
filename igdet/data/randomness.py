"""Random numbers that depend on the seed and on a number only, never on the process that draws them."""

import hashlib
from enum import IntEnum

import numpy as np

# SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class Stream(IntEnum):
    """What the random numbers are for: streams of one seed share nothing."""

    EPOCH_ORDER = 0
    DRAW = 1
    ROUNDING = 2
    LABEL_NOISE = 3
    SHARD_ORDER = 4
    BUFFER_ORDER = 5


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


def hashed(key: np.uint64, numbers: np.ndarray) -> np.ndarray:
    """Give random bits for numbers, in no order: for one key, the outputs of SplitMix64 at these places.

    Args:
        key: one of `keys`.
        numbers: int64 or uint64 (n,).

    Returns:
        uint64 (n,).
    """
    bits = numbers.astype(np.uint64) * _GOLDEN + key  # modulo 2^64, as everything here
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))


def name_number(name: str) -> int:
    """Give a number for a name, 0..2^64 - 1, the same in every process, unlike `hash`."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
