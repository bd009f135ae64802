"""Means and spreads over seeds, intervals, and paired tests: Student's t over seeds, McNemar's over images."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special  # scipy.stats has all of it too, and takes half a second to import

CONFIDENCE = 0.95
EQUAL = 1e-9  # results in percent that differ by less do so by rounding alone


class Interval(NamedTuple):
    """A mean with its spread and its 95% t interval; NaN where a single value leaves them unknown."""

    mean: float
    spread: float  # sample standard deviation, divisor n - 1
    low: float
    high: float
    n: int


class PairedTest(NamedTuple):
    """Whether A and B differ: the mean of A - B, its 95% interval, and the two-sided p-value."""

    difference: float
    low: float
    high: float
    p: float
    n: int


def t_interval(values: Sequence[float]) -> Interval:
    """The mean of independent values and where the true one lies with 95% confidence, if they are normal."""
    n, mean = len(values), statistics.fmean(values)
    if n < 2:
        return Interval(mean, math.nan, math.nan, math.nan, n)
    spread = statistics.stdev(values)
    # mean +- t_(0.975, n - 1) s / sqrt(n): Student's quantile, not the normal's, for of a few seeds the spread itself
    # is uncertain; with three the interval is 2.2 times as wide (4.30 over 1.96).
    reach = float(special.stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * spread / math.sqrt(n)
    return Interval(mean, spread, mean - reach, mean + reach, n)


def paired_t(differences: Sequence[float]) -> PairedTest:
    """Student's paired t test, on A - B of each seed, percent; p is NaN for one seed, and where all are equal."""
    interval = t_interval(differences)
    p = math.nan
    # t = mean / (s / sqrt(n)), two-sided. Pairing takes the seed's own luck out; a spread of 0 would say "certain".
    if interval.spread > EQUAL:
        t = interval.mean / (interval.spread / math.sqrt(interval.n))
        p = 2 * float(special.stdtr(interval.n - 1, -abs(t)))
    return PairedTest(interval.mean, interval.low, interval.high, p, interval.n)


def mcnemar(hits_a: np.ndarray, hits_b: np.ndarray) -> PairedTest:
    """McNemar's exact test on the images that only one of two classifiers gets right (McNemar 1947).

    Args:
        hits_a, hits_b: bool (N,), of the same images, N >= 1.

    Returns:
        The difference of the accuracies and its 95% interval, percent; p of a fair coin deciding who is right alone.
        The interval is the normal one of paired shares.
    """
    n, only_a, only_b = len(hits_a), int((hits_a & ~hits_b).sum()), int((~hits_a & hits_b).sum())
    differing = only_a + only_b
    # Images that both get right, or neither, say nothing about who is better. If neither were, each of the others would
    # be a fair coin: an exact binomial test, which holds for few of them, where the chi-squared form does not.
    p = min(1.0, 2 * float(special.bdtr(min(only_a, only_b), differing, 0.5))) if differing else 1.0
    difference = (only_a - only_b) / n
    # An image counts +1, -1 or 0, so its variance is E[x^2] - E[x]^2 = (share that differs) - difference^2.
    error = math.sqrt(max(0.0, differing / n - difference**2) / n)
    reach = float(special.ndtri((1 + CONFIDENCE) / 2)) * error
    return PairedTest(100 * difference, 100 * (difference - reach), 100 * (difference + reach), p, n)


@dataclass(frozen=True)
class Summary:
    """A mean over seeds.

    Attributes:
        mean: arithmetic mean.
        spread: sample standard deviation (divisor n - 1); None with one seed.
        n: number of seeds.
    """

    mean: float
    spread: float | None
    n: int

    def text(self, signed: bool = False) -> str:
        """'41.2 ± 0.3', or '41.2' with one seed; with a sign for a difference."""
        mean = f"{self.mean:+.1f}" if signed else f"{self.mean:.1f}"
        return mean.replace("-", "−") + ("" if self.spread is None else f" ± {self.spread:.1f}")


@dataclass(frozen=True)
class Gain(Summary):
    """A mean difference between two initialisations, over the seeds that both have.

    Attributes:
        noise: the largest of three spreads: of the differences, of the candidate, of the baseline; None with one seed.
        lower_is_better: of the values: a negative difference is a gain then.
    """

    noise: float | None = None
    lower_is_better: bool = False

    @property
    def verdict(self) -> str:
        """single seed | gain | loss | within spread."""
        if self.noise is None:
            return "single seed"
        if abs(self.mean) <= self.noise:
            return "within spread"
        return "gain" if (self.mean > 0) != self.lower_is_better else "loss"


def summarise(values: Iterable[float]) -> Summary | None:
    """Mean and spread of the seeds' values; None without any."""
    values = list(values)
    if not values:
        return None
    return Summary(statistics.mean(values), statistics.stdev(values) if len(values) > 1 else None, len(values))


def paired_gain(
    candidate: Mapping[int, float], baseline: Mapping[int, float], lower_is_better: bool = False
) -> Gain | None:
    """The candidate's gain over the baseline.

    Args:
        candidate: seed -> value.
        baseline: seed -> value.
        lower_is_better: whether a lower value is the better one.

    Returns:
        The gain over the common seeds; None without any.
    """
    seeds = sorted(candidate.keys() & baseline.keys())
    difference = summarise(candidate[seed] - baseline[seed] for seed in seeds)
    if difference is None:
        return None
    sides = [summarise(side[seed] for seed in seeds) for side in (candidate, baseline)]
    spreads = [summary.spread for summary in (difference, *sides) if summary and summary.spread is not None]
    noise = max(spreads, default=None)  # of one seed there is none
    return Gain(difference.mean, difference.spread, difference.n, noise, lower_is_better)
