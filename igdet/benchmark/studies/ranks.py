"""Whether a cheap target orders initialisations as an expensive one does, and what each costs."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from statistics import fmean
from typing import NamedTuple

import numpy as np
from scipy import stats

from igdet.benchmark.metrics import lower_is_better
from igdet.benchmark.studies.results import Results
from igdet.benchmark.studies.wording import ONE_SEED
from igdet.benchmark.suite import Suite, TransferTask
from igdet.reporting.charts import Series, line_chart
from igdet.reporting.significance import paired_t, t_interval

FEWEST = 4  # initialisations: of three, one order in six is the other's by luck
_SAMPLES = 1000


class Ranked(NamedTuple):
    """Results of the two targets.

    Attributes:
        names: of the initialisations that both have.
        cheap: float64 (initialisations, seeds), the higher the better.
        full: likewise, of the target that is taken for the truth.
    """

    names: list[str]
    cheap: np.ndarray
    full: np.ndarray


class Agreement(NamedTuple):
    """How far two orders agree.

    Attributes:
        correlation: Spearman's, of the means over the seeds, -1..1.
        low, high: ends of its 95% interval over bootstrap samples of the seeds; NaN with one seed.
        told_apart: pairs of initialisations whose difference in the full target has a 95% interval without 0.
        alike: those of them that the cheap target's means order alike.
    """

    correlation: float
    low: float
    high: float
    told_apart: int
    alike: int


def agreement(ranked: Ranked) -> Agreement:
    """Compare the orders of two targets.

    Args:
        ranked: of at least `FEWEST` initialisations and one seed.
    """
    seeds = ranked.full.shape[1]
    drawn = np.random.default_rng(0).integers(seeds, size=(_SAMPLES, seeds))
    correlations = [_spearman(ranked.cheap[:, sample], ranked.full[:, sample]) for sample in drawn]
    ordered = [value for value in correlations if not np.isnan(value)]
    low, high = np.quantile(ordered, [0.025, 0.975]) if seeds > 1 and ordered else (np.nan, np.nan)
    told_apart = alike = 0
    for first, second in combinations(range(len(ranked.names)), 2):
        test = paired_t([*(ranked.full[second] - ranked.full[first])])
        if test.low * test.high > 0:
            told_apart += 1
            alike += (ranked.cheap[second].mean() - ranked.cheap[first].mean()) * test.difference > 0
    return Agreement(_spearman(ranked.cheap, ranked.full), float(low), float(high), told_apart, alike)


def rank_sentences(suite: Suite, results: Results) -> Iterator[str]:
    """Yield how the first target of RANKS orders the initialisations, measured by the second; nothing without RANKS."""
    if not suite.ranks:
        return
    cheap, full = (suite.targets[name] for name in suite.ranks)
    ranked = ranked_of(suite, results)
    if len(ranked.names) < FEWEST:
        yield f"{len(ranked.names)} initialisations have results of both targets: too few to compare their orders."
        return
    found, many = agreement(ranked), ranked.full.shape[1]
    interval = f" [{_signed(found.low)}, {_signed(found.high)}]" if many > 1 else f" ({ONE_SEED})"
    yield (
        f"{cheap.title} orders {len(ranked.names)} initialisations as {full.title} does with a rank correlation of "
        f"{_signed(found.correlation)}{interval} (Spearman; bootstrap over seeds)."
    )
    if found.told_apart:
        yield f"Of the {found.told_apart} pairs that {full.title} tells apart, it orders {found.alike} alike."
    minutes = [_minutes(results, target, ranked.names) for target in suite.ranks]
    if all(minutes):
        yield f"A run takes {minutes[0]:.1f} minutes instead of {minutes[1]:.1f}."


def rank_chart(suite: Suite, results: Results) -> str:
    """Draw the full target's first metric over the cheap one's, a mark for each initialisation, means over the seeds.

    Args:
        suite: with RANKS.
        results: its results.

    Returns:
        An SVG element.
    """
    cheap, full = (suite.targets[name] for name in suite.ranks)
    marks = []
    for style, (name, start) in enumerate(suite.initializations.items()):
        xs, ys = (_values(suite, results, target, name) for target in suite.ranks)
        if xs and ys:
            interval = t_interval([*ys.values()])
            reach = [interval.high - interval.mean] if len(ys) > 1 else []
            marks.append(Series(style, [fmean(xs.values())], [interval.mean], name=start.title, whiskers=reach))
    titles = tuple(f"{task.title}: {task.metrics[_metric(task)]}" for task in (cheap, full))
    return line_chart(rank_title(suite), (titles[0], titles[1]), marks)


def rank_title(suite: Suite) -> str:
    """What the chart shows."""
    cheap, full = (suite.targets[name].title for name in suite.ranks)
    return f"{full} by {cheap}"


def ranked_of(suite: Suite, results: Results) -> Ranked:
    """Collect the first metrics of the two targets, of the seeds that all initialisations with both have."""
    found = {name: [_values(suite, results, target, name) for target in suite.ranks] for name in suite.initializations}
    both = {name: pair for name, pair in found.items() if all(pair)}
    seeds = sorted(set.intersection(*(set(values) for pair in both.values() for values in pair))) if both else []
    if not seeds:
        return Ranked([], np.zeros((0, 0)), np.zeros((0, 0)))
    cheap, full = (
        np.array([[pair[at][seed] for seed in seeds] for pair in both.values()])
        * (-1 if lower_is_better(_metric(suite.targets[target])) else 1)
        for at, target in enumerate(suite.ranks)
    )
    return Ranked(list(both), cheap, full)


def _values(suite: Suite, results: Results, target: str, name: str) -> Mapping[int, float]:
    return results.values(target, name, _metric(suite.targets[target]))


def _metric(task: TransferTask) -> str:
    return next(iter(task.metrics))


def _minutes(results: Results, target: str, names: list[str]) -> float:
    hours = [cost.hours for name in names if (cost := results.cost(name, target))]
    return 60 * fmean(hours) if hours else 0.0


def _signed(correlation: float) -> str:
    return f"{correlation:+.2f}".replace("-", "−")


def _spearman(cheap: np.ndarray, full: np.ndarray) -> float:
    """Of means over the second axis; NaN where a target gives all the same."""
    means = cheap.mean(axis=1), full.mean(axis=1)
    if any(np.ptp(values) == 0 for values in means):
        return float("nan")
    return float(stats.spearmanr(*means).statistic)
