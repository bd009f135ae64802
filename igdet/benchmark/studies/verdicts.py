"""What a study's curves say, in sentences whose words follow the intervals."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np

from igdet.benchmark.axes import Axis
from igdet.benchmark.collect import Column
from igdet.benchmark.metrics import lower_is_better
from igdet.benchmark.studies.curves import Curve, Point, pairs_of
from igdet.benchmark.studies.results import Results
from igdet.benchmark.studies.scenes import PARTS, metric_of, over
from igdet.reporting.fits import FitError, crossing, fit_band, fit_curve, predict_last
from igdet.reporting.significance import paired_t

ONE_SEED = "one seed: no interval, and no claim"


def verdicts(column: Column, curves: Sequence[Curve], axis: Axis, results: Results) -> list[str]:
    """Return what the curves of one metric say.

    Args:
        column: the metric.
        curves: of it; those that do not vary along the axis are what others are compared with.
        axis: along which they vary.
        results: for differences over scenes.
    """
    varying = [curve for curve in curves if curve.varies]
    fixed = [curve for curve in curves if not curve.varies]
    if axis.scale != "log":  # "ten times more" is said of sizes alone, and 0 has no logarithm
        return [sentence for curve in varying for sentence in _value_sentences(column, curve)]
    sentences = [sentence for curve in varying for sentence in _growth_sentences(column, curve, axis)]
    sentences += [_largest_against(column, curve, baseline, results) for curve in varying for baseline in fixed]
    for pair in pairs_of(curves):
        sentences += [*_gap_sentences(column, *pair, axis), *_crossing_sentences(column, *pair)]
    return sentences


def _growth_sentences(column: Column, curve: Curve, axis: Axis) -> Iterator[str]:
    name = f"{column.title}, {curve.title}"
    if min(len(point.values) for point in curve.points) < 2:
        yield f"{name}: {ONE_SEED}."
    band = curve.band
    if band is None:
        yield f"{name}: {len(curve.points)} sizes are too few for a fit."
        return
    gain, low, high = band.per_tenfold
    yield f"{name}: {_tenfold(axis)} {_worded(gain, low, high, column.metric)}{_cost_of_tenfold(curve, gain)}."
    yield from _prediction_sentences(name, curve)
    yield from _saturation_sentences(name, curve)


def _tenfold(axis: Axis) -> str:
    """'ten times more posts', of an axis with the title "Posts"."""
    return f"ten times more {axis.title[:1].lower()}{axis.title[1:]}"


def _worded(gain: float, low: float, high: float, metric: str) -> str:
    """Say what a difference is worth by its 95% interval."""
    text = f"{_signed(gain)} points [{_signed(low)}, {_signed(high)}]"
    if not low * high > 0:
        return f"cannot be told apart from no change: {text}"
    return f"{'gains' if (low > 0) != lower_is_better(metric) else 'loses'} {text}"


def _cost_of_tenfold(curve: Curve, gain: float) -> str:
    """What the last tenfold cost in pretraining, and a point of it; "" where it is not known."""
    last = curve.points[-1].cost
    before = _cost_at(curve, curve.points[-1].x / 10)
    if last is None or before is None or gain <= 0:
        return ""
    images, hours = last.images - before[0], last.hours - before[1]
    if hours <= 0:
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


def _prediction_sentences(name: str, curve: Curve) -> Iterator[str]:
    try:
        found = predict_last(curve.by_size, "log-linear")
    except FitError:
        return
    verdict = "holds" if found.is_met else "fails"
    predicted = f"{found.predicted:.1f} [{found.low:.1f}, {found.high:.1f}]"
    yield (
        f"{name}: the log-linear fit of the smaller sizes {verdict} at {found.size:,.0f}: predicted {predicted}, "
        f"found {found.observed:.1f} ({_signed(found.error)})."
    )


def _saturation_sentences(name: str, curve: Curve) -> Iterator[str]:
    """The power law's ceiling, where the fit is not that of a straight line."""
    try:
        ceiling, amplitude, exponent, _ = fit_curve(curve.by_size, "power law").params
    except FitError:
        return
    if amplitude > 0 and exponent > 0.1 and ceiling <= 100:
        yield f"{name}: a power law with exponent {exponent:.2f} would saturate at {ceiling:.1f}."


def _gap_sentences(column: Column, first: Curve, second: Curve, axis: Axis) -> Iterator[str]:
    """The second series over the first at each size that both have, and whether the gap changes with size."""
    theirs = {point.x: point for point in first.points}
    both = [(point, theirs[point.x]) for point in second.points if point.x in theirs]
    at_each = [f"{point.title}: {_difference(column, point, other)}" for point, other in both]
    if at_each:
        yield f"{column.title}: {second.title} over {first.title} at {'; '.join(at_each)}."
    gaps = {
        point.x: [point.values[seed] - other.values[seed] for seed in sorted(point.values.keys() & other.values.keys())]
        for point, other in both
    }
    with suppress(FitError):
        change, low, high = fit_band({x: found for x, found in gaps.items() if found}, "log-linear").per_tenfold
        text = f"{_signed(change)} points [{_signed(low)}, {_signed(high)}]"
        verdict = "changes by" if low * high > 0 else "cannot be told apart from a constant one:"
        yield f"{column.title}: with {_tenfold(axis)} this difference {verdict} {text}."


def _crossing_sentences(column: Column, first: Curve, second: Curve) -> Iterator[str]:
    bands = [band for curve in (first, second) if (band := curve.band)]
    if len(bands) < 2:
        return
    size = crossing(*(band.curve for band in bands))
    ends = min(band.smallest for band in bands), max(band.largest for band in bands)
    if size is None or not ends[0] / 10 <= size <= ends[1] * 10:
        return
    samples = [crossing(*pair) for pair in zip(*(band.samples for band in bands), strict=True)]
    found = [sample for sample in samples if sample is not None]
    low, high = np.percentile(found, (2.5, 97.5)) if found else (np.nan, np.nan)
    inside = "" if ends[0] <= size <= ends[1] else ", outside of the sizes that ran"
    yield f"{column.title}: {first.title} and {second.title} meet at {size:,.0f} [{low:,.0f}, {high:,.0f}]{inside}."


def _largest_against(column: Column, curve: Curve, baseline: Curve, results: Results) -> str:
    """The largest size against a series that does not vary, paired by seed, and in detection over scenes."""
    last, (base,) = curve.points[-1], baseline.points
    difference = _difference(column, last, base)
    pair = over(last.initialisation, base.initialisation)
    parts = [results.values(column.target, pair, metric_of(column.metric, part)) for part in PARTS]
    if all(parts):
        (seed,) = parts[0]
        gain, low, high = (_signed(part[seed]) for part in parts)
        difference += f"; over the scenes of seed {seed} {gain} [{low}, {high}]"
    return f"{column.title}, {curve.title}: {last.title} against {baseline.title} {difference}."


def _value_sentences(column: Column, curve: Curve) -> Iterator[str]:
    """Each value against the first, paired by seed."""
    first, *others = curve.points
    for point in others:
        yield f"{column.title}, {curve.title}: {point.title} against {first.title} {_difference(column, point, first)}."


def _difference(column: Column, point: Point, first: Point) -> str:
    seeds = sorted(point.values.keys() & first.values.keys())
    differences = [point.values[seed] - first.values[seed] for seed in seeds]
    if len(differences) < 2:
        return f"is {_signed(differences[0])} points ({ONE_SEED})" if differences else "has no common seed"
    test = paired_t(differences)
    return f"{_worded(test.difference, test.low, test.high, column.metric)} over {test.n} seeds"


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")
