"""How a metric grows with size, in sentences: gain of a tenfold and its cost, prediction, saturation, gaps."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np

from igdet.benchmark.axes import Axis
from igdet.benchmark.collect import Column
from igdet.benchmark.studies.comparisons import at_each_value
from igdet.benchmark.studies.curves import Curve, baselines_of, pairs_of
from igdet.benchmark.studies.results import Results
from igdet.benchmark.studies.wording import ONE_SEED, change, difference_with_scenes, level, signed, worded
from igdet.reporting.fits import FitError, crossing, fit_band, fit_curve, predict_last


def growth_sentences(
    column: Column, varying: Sequence[Curve], fixed: Sequence[Curve], axis: Axis, results: Results
) -> Iterator[str]:
    """Yield what the curves of one metric say of growth along a logarithmic axis.

    Args:
        column: the metric.
        varying: its curves along the axis.
        fixed: those that do not vary along it, which the others are compared with.
        axis: the axis.
        results: for differences over scenes.
    """
    for curve in varying:
        yield from _growth_of(column, curve, axis)
    for curve in varying:
        yield from (_largest_against(column, curve, baseline, results) for baseline in baselines_of(curve, fixed))
    for pair in pairs_of(varying):
        yield from at_each_value(column, *pair)
        yield from _gap_growth(column, *pair, axis)
        yield from _crossing_sentences(column, *pair)


def _growth_of(column: Column, curve: Curve, axis: Axis) -> Iterator[str]:
    name = f"{column.title}, {curve.title}"
    if min(len(point.values) for point in curve.points) < 2:
        yield f"{name}: {ONE_SEED}."
    band = curve.band
    if band is None:
        yield f"{name}: {len(curve.points)} sizes are too few for a fit."
        return
    gain, low, high = band.per_tenfold
    yield f"{name}: {_tenfold(axis)} {worded(gain, low, high, column.metric)}{_cost_of_tenfold(curve, gain)}."
    yield from _prediction_sentences(name, curve, column.metric)
    yield from _saturation_sentences(name, curve, column.metric)


def _tenfold(axis: Axis) -> str:
    """'ten times more posts', of an axis with the title "Posts"."""
    return f"ten times more {axis.title[:1].lower()}{axis.title[1:]}"


def _cost_of_tenfold(curve: Curve, gain: float) -> str:
    """What the last tenfold cost in pretraining, and a point of it; "" where it is not known."""
    last = curve.points[-1].cost
    before = _cost_at(curve, curve.points[-1].x / 10)
    if last is None or before is None or gain <= 0:
        return ""
    images, hours = last.images - before[0], last.hours - before[1]
    if images <= 0 or hours <= 0:  # the axis has other posts, not more steps
        return ""
    return f", for {images:,.0f} more images and {hours:.2g} more hours of pretraining ({hours / gain:.2g} a point)"


def _cost_at(curve: Curve, x: float) -> tuple[float, float] | None:
    """Images and hours of pretraining at a size, by straight lines between the sizes that ran."""
    known = [(point.x, point.cost) for point in curve.points if point.cost]
    if not known or not known[0][0] <= x:
        return None
    xs = [place for place, _ in known]
    return (
        float(np.interp(x, xs, [cost.images for _, cost in known])),
        float(np.interp(x, xs, [cost.hours for _, cost in known])),
    )


def _prediction_sentences(name: str, curve: Curve, metric: str) -> Iterator[str]:
    try:
        found = predict_last(curve.by_size, "log-linear")
    except FitError:
        return
    verdict = "holds" if found.is_met else "fails"
    predicted, low, high, seen = (level(of, metric) for of in (found.predicted, found.low, found.high, found.observed))
    yield (
        f"{name}: the log-linear fit of the smaller sizes {verdict} at {found.size:,.0f}: predicted {predicted} "
        f"[{low}, {high}], found {seen} ({signed(found.error, metric)})."
    )


def _saturation_sentences(name: str, curve: Curve, metric: str) -> Iterator[str]:
    """The power law's ceiling, where the fit is not that of a straight line."""
    try:
        ceiling, amplitude, exponent, _ = fit_curve(curve.by_size, "power law").params
    except FitError:
        return
    if amplitude > 0 and exponent > 0.1 and ceiling <= 100:
        yield f"{name}: a power law with exponent {exponent:.2f} would saturate at {level(ceiling, metric)}."


def _gap_growth(column: Column, first: Curve, second: Curve, axis: Axis) -> Iterator[str]:
    """Whether the gap between two series changes with size."""
    theirs = {point.x: point for point in first.points}
    both = [(point, theirs[point.x]) for point in second.points if point.x in theirs]
    gaps = {
        point.x: [point.values[seed] - other.values[seed] for seed in sorted(point.values.keys() & other.values.keys())]
        for point, other in both
    }
    with suppress(FitError):
        gain, low, high = fit_band({x: found for x, found in gaps.items() if found}, "log-linear").per_tenfold
        verdict = "changes by" if low * high > 0 else "cannot be told apart from a constant one:"
        text = change(gain, low, high, column.metric)
        yield f"{column.title}: with {_tenfold(axis)} this difference {verdict} {text}."


def _crossing_sentences(column: Column, first: Curve, second: Curve) -> Iterator[str]:
    bands = [band for curve in (first, second) if (band := curve.band)]
    if len(bands) < 2:
        return
    size = crossing(*(band.curve for band in bands))
    ends = min(band.smallest for band in bands), max(band.largest for band in bands)
    samples = [crossing(*pair) for pair in zip(*(band.samples for band in bands), strict=True)]
    found = [sample for sample in samples if sample is not None]
    if size is None or not found:
        return
    low, high = np.percentile(found, (2.5, 97.5))
    if not ends[0] / 10 <= low <= size <= high <= ends[1] * 10:  # nearly parallel lines may meet anywhere
        return
    inside = "" if ends[0] <= size <= ends[1] else ", outside of the sizes that ran"
    yield f"{column.title}: {first.title} and {second.title} meet at {size:,.0f} [{low:,.0f}, {high:,.0f}]{inside}."


def _largest_against(column: Column, curve: Curve, baseline: Curve, results: Results) -> str:
    """The largest size against a series that does not vary."""
    last, (base,) = curve.points[-1], baseline.points
    found = difference_with_scenes(column, last, base, results)
    return f"{column.title}, {curve.title}: {last.title} against {baseline.title} {found}."
