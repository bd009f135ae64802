"""What a study's curves say, in sentences whose words follow the intervals."""

from collections.abc import Callable, Iterator, Sequence

from igdet.benchmark.axes import Axis
from igdet.benchmark.collect import Column
from igdet.benchmark.studies.best_value import best_value_sentences
from igdet.benchmark.studies.comparisons import comparison_sentences
from igdet.benchmark.studies.curves import Curve
from igdet.benchmark.studies.growth import growth_sentences
from igdet.benchmark.studies.results import Results

# What an axis asks -> the sentences, of curves that vary and of those that do not.
_ANSWERS: dict[str, Callable[[Column, Sequence[Curve], Sequence[Curve], Axis, Results], Iterator[str]]] = {
    "growth": growth_sentences,
    "values": comparison_sentences,
    "best": best_value_sentences,
}


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
    return list(_ANSWERS[axis.asked](column, varying, fixed, axis, results))
