"""Zipf's law, fitted to how often labels are used."""

import math
from typing import NamedTuple

import numpy as np

from igdet.utils.ranks import log_spaced_ranks

# Below, counts take so few values that long ties make stairs of the curve.
MIN_POSTS = 5


class ZipfFit(NamedTuple):
    """f(r) = C r^-s (G. K. Zipf, Human Behavior and the Principle of Least Effort, 1949).

    Attributes:
        exponent: s.
        error: standard error of s.
        constant: C, the posts at rank 1.
        last_rank: ranks 1 to this one were fitted.
    """

    exponent: float
    error: float
    constant: float
    last_rank: int

    def __call__(self, ranks: np.ndarray) -> np.ndarray:
        """Give f of ranks."""
        return self.constant * np.asarray(ranks, np.float64) ** -self.exponent


def fit_zipf(posts: np.ndarray) -> ZipfFit | None:
    """Fit Zipf's law by least squares in logarithms, at ranks evenly spaced in the logarithm.

    Args:
        posts: int (L,): posts a label, descending; those below `MIN_POSTS` are not fitted.

    Returns:
        The fit; None with fewer than three labels to fit.
    """
    # Hashtags follow the law in outline only. Maximum likelihood, right for data drawn from it (Clauset, Shalizi and
    # Newman, arXiv 0706.1062), weighs every occurrence: it would describe the few labels at the head, with an error
    # that shrinks with the number of posts. Here head and tail weigh alike, as in the plot, and the error says how far
    # the curve is from a straight line.
    ranks = log_spaced_ranks(int(np.count_nonzero(posts >= MIN_POSTS)))
    if len(ranks) < 3:
        return None
    x, y = np.log(ranks), np.log(posts[ranks - 1])
    away = x - x.mean()
    slope = away @ y / (away @ away)
    intercept = y.mean() - slope * x.mean()
    residuals = y - intercept - slope * x
    # Standard error of a slope: sqrt(sum e^2 / (n - 2) / sum (x - mean x)^2).
    error = math.sqrt(residuals @ residuals / (len(x) - 2) / (away @ away))
    return ZipfFit(float(-slope), error, math.exp(intercept), int(ranks[-1]))
