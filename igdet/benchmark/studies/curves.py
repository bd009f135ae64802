"""The results of a study by axis: a curve for every series, with what its points are and what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from igdet.benchmark.axes import are_comparable, axis_of, place_of
from igdet.benchmark.collect import Column, columns_of, marked_title
from igdet.benchmark.studies.results import Cost, Results
from igdet.benchmark.suite import PRETRAINING, Initialisation, Suite
from igdet.reporting.fits import Band, FitError, fit_band
from igdet.reporting.significance import Interval, t_interval


@dataclass(frozen=True)
class Point:
    """What the seeds of one initialisation came to.

    Attributes:
        initialisation: with its place on the axes.
        title: the value's title; "" off the axis.
        x: its place: a number of the axis, or of a category axis the position, from 0.
        values: seed -> result.
        is_baseline: whether the suite counts gains over it.
        cost: of the pretraining; None without one.
    """

    initialisation: str
    title: str
    x: float
    values: dict[int, float]
    is_baseline: bool
    cost: Cost | None

    @property
    def interval(self) -> Interval:
        """The mean with its 95% interval over the seeds."""
        return t_interval(list(self.values.values()))


@dataclass(frozen=True)
class Curve:
    """A series along the axis.

    Attributes:
        style: its number, which decides its colour.
        title: with its place on the other axes.
        place: as `igdet.benchmark.axes.place_of` gives it.
        points: ascending in x; one, with x NaN, for a series that does not vary along the axis.
    """

    style: int
    title: str
    place: dict[str, str]
    points: tuple[Point, ...]

    @property
    def varies(self) -> bool:
        """Whether the series varies along the axis, at whatever number of its points there are results."""
        return any(point.x == point.x for point in self.points)

    @property
    def by_size(self) -> dict[float, list[float]]:
        """x -> the results of all seeds, as fits take them."""
        return {point.x: list(point.values.values()) for point in self.points}

    @cached_property
    def band(self) -> Band | None:
        """The log-linear fit with its band; None where there are too few sizes."""
        try:
            return fit_band(self.by_size, "log-linear")
        except FitError:
            return None


def study_columns(suite: Suite) -> list[Column]:
    """Return the metrics of a study: those of its targets, and those of pretrainings where every point has its own."""
    starts = suite.initializations.values()
    if any(node.shares for node in starts):
        return columns_of(suite)
    own = {metric: title for node in starts for metric, title in node.metrics.items()}
    found = [
        Column(PRETRAINING, metric, marked_title(metric, f"Pretraining: {title}")) for metric, title in own.items()
    ]
    return [*columns_of(suite), *found]


def curves_of(suite: Suite, results: Results, column: Column) -> list[Curve]:
    """Return the curves of one metric of a target; points without a result are left out, and curves without a point.

    Args:
        suite: with its axes, expanded.
        results: its results.
        column: the metric.
    """
    grouped: dict[str, list[tuple[str, Initialisation]]] = {}
    for name, node in suite.initializations.items():
        grouped.setdefault(_series_title(suite, node), []).append((name, node))
    curves = []
    for style, (title, members) in enumerate(grouped.items()):
        points = [_point(suite, results, column, name, node) for name, node in members]
        found = tuple(sorted((point for point in points if point.values), key=lambda point: point.x))
        # A pretraining's metric that one point alone has is compared with nothing.
        if len(found) >= (2 if column.target == PRETRAINING else 1):
            curves.append(Curve(style, title, place_of(suite, members[0][1]), found))
    return curves


def all_curves(suite: Suite, results: Results) -> list[tuple[Column, list[Curve]]]:
    """Return the metrics of a study that have results, with their curves."""
    found = [(column, curves_of(suite, results, column)) for column in study_columns(suite)]
    return [(column, curves) for column, curves in found if curves]


def _point(suite: Suite, results: Results, column: Column, name: str, node: Initialisation) -> Point:
    axis = suite.axes[axis_of(suite)]
    value = node.point.get(axis_of(suite))
    values = results.values(column.target, name, column.metric)
    cost = results.cost(node.shares or name)
    is_baseline = name in suite.baselines
    if value is None:
        return Point(name, "", float("nan"), values, is_baseline, cost)
    x = float(list(axis.values).index(value)) if axis.scale == "category" else axis.values[value].x
    return Point(name, axis.values[value].title or value, x, values, is_baseline, cost)


def _series_title(suite: Suite, node: Initialisation) -> str:
    """The initialisation's title without its value on the drawn axis."""
    drawn = axis_of(suite)
    titles = [node.series_title]
    titles += [suite.axes[axis].values[value].title or value for axis, value in node.point.items() if axis != drawn]
    return ", ".join(titles)


def pairs_of(varying: Sequence[Curve]) -> list[tuple[Curve, Curve]]:
    """Return every pair of curves that can be compared, the earlier one first."""
    pairs = combinations(varying, 2)
    return [(first, second) for first, second in pairs if are_comparable(first.place, second.place)]


def baselines_of(curve: Curve, fixed: Sequence[Curve]) -> list[Curve]:
    """Return those that do not vary along the axis and can be compared with a curve."""
    return [baseline for baseline in fixed if are_comparable(curve.place, baseline.place)]
