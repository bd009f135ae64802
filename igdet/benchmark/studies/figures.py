"""A study's figures: a panel for each metric, or for each target where the initialisations are compared themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean
from typing import NamedTuple

import numpy as np

from igdet.benchmark.axes import STARTS, axis_of
from igdet.benchmark.collect import Column
from igdet.benchmark.figures import THRESHOLDS
from igdet.benchmark.metrics import lower_is_better
from igdet.benchmark.studies.curves import Curve, Point
from igdet.benchmark.studies.ranks import rank_chart, rank_title
from igdet.benchmark.studies.results import Results
from igdet.benchmark.suite import PRETRAINING, Suite
from igdet.reporting.charts import Series, bar_chart, line_chart

_SCALES = {"log": "log, from zero", "linear": "from zero"}
_SIMILARITIES = {"bbox": "IoU of boxes", "segm": "IoU of masks", "keypoints": "OKS"}


class Figure(NamedTuple):
    """A figure and what is read in its place."""

    title: str
    svg: str


def draw_figures(suite: Suite, results: Results, panels: Sequence[tuple[Column, list[Curve]]]) -> list[Figure]:
    """Draw every metric over the axis, or metric beside metric where the initialisations are the axis.

    Args:
        suite: with its axes, expanded.
        results: its results.
        panels: the metrics with their curves.
    """
    if axis_of(suite) != STARTS:
        return [_over_the_axis(suite, column, curves) for column, curves in panels]
    groups: dict[tuple[str, bool], list[tuple[Column, list[Curve]]]] = {}
    for column, curves in panels:
        groups.setdefault((_title(suite, column), lower_is_better(column.metric)), []).append((column, curves))
    return [
        *([Figure(rank_title(suite), rank_chart(suite, results))] if suite.ranks else []),
        *(_side_by_side(suite, title, group) for (title, _), group in groups.items()),
        *_by_threshold(suite, results),
    ]


def _title(suite: Suite, column: Column) -> str:
    """What metrics that are drawn beside each other have in common: their target, or all targets the metric."""
    if column.target == PRETRAINING:
        return "Pretraining"
    metrics = [list(target.metrics) for target in suite.targets.values()]
    same = len(metrics) > 1 and all(of_target == metrics[0][:1] for of_target in metrics)
    return "Targets" if same else suite.targets[column.target].title


def _over_the_axis(suite: Suite, column: Column, curves: Sequence[Curve]) -> Figure:
    axis = suite.axes[axis_of(suite)]
    target = suite.targets.get(column.target)
    titles = axis.title, target.metrics[column.metric] if target else column.title  # above it stands the target, too
    name = f"{column.title} by {axis.title}"
    if axis.scale == "category":
        names = [value.title or name for name, value in axis.values.items()]
        return Figure(name, bar_chart(column.title, titles, [_bars(curve, len(names)) for curve in curves], names))
    ends = [point.x for curve in curves if curve.varies for point in curve.points]
    is_fitted = axis.asked == "growth"
    lines = [line for curve in curves for line in _lines(curve, min(ends), max(ends), is_fitted)] if ends else []
    return Figure(name, line_chart(column.title, titles, lines, _SCALES[axis.scale]))


def _bars(curve: Curve, values: int) -> Series:
    """A series that does not vary is as high at every value."""
    points = curve.points if curve.varies else curve.points * values
    xs = [point.x for point in points] if curve.varies else list(range(values))
    return Series(curve.style, xs, [point.interval.mean for point in points], _reaches(points), curve.title)


def _lines(curve: Curve, smallest: float, largest: float, is_fitted: bool) -> Iterator[Series]:
    if not curve.varies:
        mean = curve.points[0].interval.mean
        yield Series(curve.style, [smallest, largest], [mean, mean], name=curve.title, dashed=True)
        return
    means = [point.interval.mean for point in curve.points]
    xs = [point.x for point in curve.points]
    yield Series(curve.style, xs, means, name=curve.title, whiskers=_reaches(curve.points))
    if is_fitted and (band := curve.band):
        sizes = np.geomspace(band.smallest, band.largest, 20)
        bounds = band.bounds(sizes).tolist()
        yield Series(curve.style, sizes.tolist(), band.curve.at(sizes).tolist(), bounds=bounds, dashed=True)


def _side_by_side(suite: Suite, title: str, group: Sequence[tuple[Column, list[Curve]]]) -> Figure:
    """Metrics beside each other, a colour for each initialisation."""
    bars = []
    for style, (name, start) in enumerate(suite.initializations.items()):
        found = [
            (place, point)
            for place, (_, curves) in enumerate(group)
            for curve in curves
            for point in curve.points
            if point.initialisation == name
        ]
        points = [point for _, point in found]
        means = [point.interval.mean for point in points]
        if found:
            bars.append(Series(style, [place for place, _ in found], means, _reaches(points), start.title))
    names = [column.title for column, _ in group]
    return Figure(f"{title}: {', '.join(names)}", bar_chart(title, ("", "percent"), bars, names))


def _by_threshold(suite: Suite, results: Results) -> Iterator[Figure]:
    """AP over the similarity that counts as found: placing shows where it is high."""
    for target, task in suite.targets.items():
        for kind, similarity in _SIMILARITIES.items():
            if not any(metric.startswith(f"{kind}/") for metric in task.metrics):
                continue
            starts = enumerate(suite.initializations.items())
            found = (
                _threshold_line(results, target, kind, Series(style, [], [], name=start.title), name)
                for style, (name, start) in starts
            )
            if lines := [line for line in found if line]:
                title = f"{task.title}: AP by {similarity}"
                yield Figure(title, line_chart(title, (similarity, "AP"), lines))


def _threshold_line(results: Results, target: str, kind: str, empty: Series, name: str) -> Series | None:
    by_threshold = [results.values(target, name, f"{kind}/AP@{threshold:.2f}") for threshold in THRESHOLDS]
    if not all(by_threshold):
        return None
    means = [fmean(values.values()) for values in by_threshold]
    return replace(empty, xs=THRESHOLDS, ys=means)


def _reaches(points: Sequence[Point]) -> list[float]:
    """Half the height of each interval; none where a point has one seed alone."""
    reaches = [point.interval.high - point.interval.mean for point in points]
    return reaches if all(reach == reach for reach in reaches) else []
