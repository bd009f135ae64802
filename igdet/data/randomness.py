"""Random numbers that depend on the seed and on a number only, never on the process that draws them."""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What the random numbers are for: streams of one seed share nothing."""

    EPOCH_ORDER = 0
    DRAW = 1


def generator(seed: int, stream: Stream, number: int) -> np.random.Generator:
    """Make the generator of one epoch or one draw.

    Args:
        seed: the run's seed, >= 0.
        stream: what the numbers are for.
        number: the epoch's or the draw's number, >= 0.
    """
    return np.random.default_rng((seed, int(stream), number))
