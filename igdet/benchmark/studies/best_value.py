"""Which value of a setting is best for each series, what a sweep would choose, and the series at their best."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from igdet.benchmark.axes import Axis
from igdet.benchmark.collect import Column
from igdet.benchmark.metrics import better_of
from igdet.benchmark.studies.curves import Curve, Point, pairs_of
from igdet.benchmark.studies.results import Results
from igdet.benchmark.studies.wording import ONE_SEED, difference, level, unit


def best_value_sentences(
    column: Column, varying: Sequence[Curve], fixed: Sequence[Curve], axis: Axis, results: Results
) -> Iterator[str]:
    """Yield the best value of each curve, and differences at it and at a shared one; as `growth_sentences`."""
    for curve in varying:
        yield _best_of(column, curve, axis)
        yield from _sweep_sentences(column, curve)
    for first, second in pairs_of(varying):
        at_best = difference(column, _best(column, second), _best(column, first))
        yield f"{column.title}: each at its best value, {second.title} over {first.title} {at_best}."
        shared = [point for point in second.points if point.x == _best(column, first).x]
        for point in shared:
            text = difference(column, point, _best(column, first))
            yield f"{column.title}: both at {point.title}, best for {first.title}: {second.title} {text}."


def _best(column: Column, curve: Curve) -> Point:
    """The point with the best mean."""
    return better_of(column.metric)(curve.points, key=lambda point: point.interval.mean)


def _best_of(column: Column, curve: Curve, axis: Axis) -> str:
    best = _best(column, curve)
    at_end = best.x in (curve.points[0].x, curve.points[-1].x)
    warning = "; it is at the end of the range, which may not hold the best one" if at_end else ""
    return f"{column.title}, {curve.title}: best at {axis.title} {best.title} ({best.interval.mean:.1f}){warning}."


def _sweep_sentences(column: Column, curve: Curve) -> Iterator[str]:
    """What choosing by one seed alone, as sweeps do, costs the other seeds against the best value of each."""
    better = better_of(column.metric)
    by_seed = {seed: [point for point in curve.points if seed in point.values] for seed in curve.points[0].values}
    chosen = {seed: better(points, key=lambda point: point.values[seed]) for seed, points in by_seed.items()}
    if len(chosen) < 2:
        yield f"{column.title}, {curve.title}: {ONE_SEED}."
        return
    first = min(chosen)
    theirs = chosen[first].values
    costs = [abs(chosen[seed].values[seed] - theirs[seed]) for seed in chosen if seed != first and seed in theirs]
    if not costs:
        return
    yield (
        f"{column.title}, {curve.title}: a sweep with seed {first} alone chooses {chosen[first].title}, which costs "
        f"the other seeds {level(fmean(costs), column.metric)}{unit(column.metric)} against the best value of each."
    )
