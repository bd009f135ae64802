"""How differences are worded in verdicts: by their intervals over seeds."""

from igdet.benchmark.collect import Column
from igdet.benchmark.metrics import is_percent, lower_is_better
from igdet.benchmark.studies.curves import Point
from igdet.benchmark.studies.results import Results
from igdet.benchmark.studies.scenes import PARTS, metric_of, over
from igdet.reporting.significance import paired_t

ONE_SEED = "one seed: no interval, and no claim"


def worded(gain: float, low: float, high: float, metric: str) -> str:
    """Say what a difference is worth by its 95% interval."""
    text = change(gain, low, high, metric)
    if not low * high > 0:
        return f"cannot be told apart from no change: {text}"
    better, worse = ("improves,", "worsens,") if lower_is_better(metric) else ("gains", "loses")
    return f"{better if (low > 0) != lower_is_better(metric) else worse} {text}"


def difference(column: Column, point: Point, other: Point) -> str:
    """Say what a point has over another one, paired by seed."""
    seeds = sorted(point.values.keys() & other.values.keys())
    differences = [point.values[seed] - other.values[seed] for seed in seeds]
    if len(differences) < 2:
        only = f"{signed(differences[0], column.metric)}{unit(column.metric)}" if differences else ""
        return f"is {only} ({ONE_SEED})" if only else "has no common seed"
    test = paired_t(differences)
    return f"{worded(test.difference, test.low, test.high, column.metric)} over {test.n} seeds"


def difference_with_scenes(column: Column, point: Point, other: Point, results: Results) -> str:
    """As `difference`; in detection followed by the difference over the scenes of one seed, where that is known."""
    text = difference(column, point, other)
    pair = over(point.initialisation, other.initialisation)
    parts = [results.values(column.target, pair, metric_of(column.metric, part)) for part in PARTS]
    if not all(parts):
        return text
    (seed,) = parts[0]
    gain, low, high = (signed(part[seed], column.metric) for part in parts)
    return f"{text}; over the scenes of seed {seed} {gain} [{low}, {high}]"


def change(gain: float, low: float, high: float, metric: str) -> str:
    """Write a difference with its interval: "+1.2 points [+0.3, +2.1]"; what is no percentage has no points."""
    return f"{signed(gain, metric)}{unit(metric)} [{signed(low, metric)}, {signed(high, metric)}]"


def signed(value: float, metric: str = "") -> str:
    """Write a difference with its sign."""
    return f"{value:+.{_decimals(metric)}f}".replace("-", "−")


def level(value: float, metric: str) -> str:
    """Write a metric's value."""
    return f"{value:.{_decimals(metric)}f}"


def unit(metric: str) -> str:
    """Return what follows a difference of a metric: " points", or nothing."""
    return " points" if is_percent(metric) else ""


def _decimals(metric: str) -> int:
    return 1 if is_percent(metric) else 2
