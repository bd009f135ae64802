"""Values of an axis against each other, in sentences."""

from collections.abc import Iterator, Sequence

from igdet.benchmark.axes import Axis
from igdet.benchmark.collect import Column
from igdet.benchmark.studies.curves import Curve, Point, baselines_of, pairs_of
from igdet.benchmark.studies.results import Results
from igdet.benchmark.studies.wording import difference, difference_with_scenes


def comparison_sentences(
    column: Column, varying: Sequence[Curve], fixed: Sequence[Curve], axis: Axis, results: Results
) -> Iterator[str]:
    """Yield each value against those it is compared with, then the series against each other.

    Args and Yields as `igdet.benchmark.studies.growth.growth_sentences`.
    """
    for curve in varying:
        for point in curve.points:
            for other, title in _rivals(point, curve, fixed):
                name = ", ".join(part for part in (column.title, curve.title) if part)
                yield f"{name}: {point.title} against {title} {difference_with_scenes(column, point, other, results)}."
    for pair in pairs_of(varying):
        yield from at_each_value(column, *pair)


def at_each_value(column: Column, first: Curve, second: Curve) -> Iterator[str]:
    """Yield one sentence: the second series over the first at each value that both have; none without such a value."""
    theirs = {point.x: point for point in first.points}
    found = [
        f"{point.title}: {difference(column, point, theirs[point.x])}" for point in second.points if point.x in theirs
    ]
    if found:
        yield f"{column.title}: {second.title} over {first.title} at {'; '.join(found)}."


def _rivals(point: Point, curve: Curve, fixed: Sequence[Curve]) -> Iterator[tuple[Point, str]]:
    """Baselines that come earlier, or the first value where there are none; then the series that do not vary."""
    baselines = [other for other in curve.points if other.is_baseline]
    if len(baselines) in (0, len(curve.points)):  # none, or the curve of a baseline itself
        baselines = list(curve.points[:1])
    yield from ((other, other.title) for other in baselines if other.x < point.x)
    yield from ((baseline.points[0], baseline.title) for baseline in baselines_of(curve, fixed))
