"""Ranks at which to look at a long-tailed distribution."""

import numpy as np

POINTS = 200


def log_spaced_ranks(count: int) -> np.ndarray:
    """Give ranks that show the head and the tail alike.

    Args:
        count: the last rank, >= 0.

    Returns:
        int64 (at most `POINTS`,), ascending and distinct, from 1 to count: evenly spaced in the logarithm as far as
        whole numbers can be; none for 0.
    """
    return np.unique(np.geomspace(1, count, POINTS).round().astype(np.int64)) if count else np.zeros(0, np.int64)
