"""Mean and spread over seeds, and gains paired by seed."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


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
    noise = None if difference.spread is None else max(difference.spread, *(side.spread for side in sides))
    return Gain(difference.mean, difference.spread, difference.n, noise, lower_is_better)
