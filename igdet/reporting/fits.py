"""How a metric grows with size: log-linear and saturating power-law fits, with bootstrap bands and their test.

Shapes: R results, B bootstrap samples, P sizes that are asked about.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from igdet.reporting.significance import CONFIDENCE

BOOTSTRAPS = 1000  # standard errors of the 95% bounds are about 3% of the band's width then
EXPONENTS = (0.02, 3.0)  # of the power law: below it is a logarithm, above it is flat after the first size
LEAST_SIZES = {"log-linear": 3, "power law": 4}  # one more than there are parameters: a fit that could fail
Values = Mapping[float, Sequence[float]]  # size -> a result of each seed


class FitError(ValueError):
    """Results that a curve cannot be fitted to; the message says why."""


@dataclass(frozen=True)
class FittedCurve:
    """A fitted curve.

    Attributes:
        form: a key of `FORMS`.
        params: float64 (K,): of the form.
    """

    form: str
    params: np.ndarray

    def at(self, sizes: np.ndarray) -> np.ndarray:
        """Return the curve's values, float64 (P,), at sizes > 0, float64 (P,)."""
        return FORMS[self.form].values(np.asarray(sizes, np.float64), self.params)


@dataclass(frozen=True)
class Band:
    """A fitted curve and the curves of resampled seeds.

    Attributes:
        curve: fitted to all results.
        samples: B curves, each fitted to as many seeds a size, drawn with replacement.
        smallest, largest: the sizes between which there are results.
    """

    curve: FittedCurve
    samples: tuple[FittedCurve, ...]
    smallest: float
    largest: float

    def interval(self, of_curve: Callable[[FittedCurve], float]) -> tuple[float, float, float]:
        """Return what a function says of the fitted curve, and the 95% percentile bounds of it over the samples."""
        found = [of_curve(sample) for sample in self.samples]
        low, high = np.percentile(found, _BOUNDS) if found else (np.nan, np.nan)
        return float(of_curve(self.curve)), float(low), float(high)

    def bounds(self, sizes: np.ndarray) -> np.ndarray:
        """Return the 95% band, float64 (2, P), at sizes, float64 (P,)."""
        return np.percentile([sample.at(sizes) for sample in self.samples], _BOUNDS, axis=0)

    @property
    def per_tenfold(self) -> tuple[float, float, float]:
        """The gain of the last tenfold of size within the results, with its 95% bounds."""
        ends = np.array([self.largest / 10, self.largest])
        return self.interval(lambda curve: float(np.diff(curve.at(ends))[0]))


@dataclass(frozen=True)
class Prediction:
    """What the smaller sizes say about the largest one.

    Attributes:
        size: the largest size, which the fit did not see.
        predicted, low, high: the curve there, with its 95% bounds.
        observed: the mean of the results.
    """

    size: float
    predicted: float
    low: float
    high: float
    observed: float

    @property
    def error(self) -> float:
        """Observed - predicted: above 0 where growth was underestimated."""
        return self.observed - self.predicted

    @property
    def is_met(self) -> bool:
        """Whether the mean lies within the bounds."""
        return self.low <= self.observed <= self.high


@dataclass(frozen=True)
class _Form:
    fit: Callable[[np.ndarray, np.ndarray], np.ndarray]  # sizes (R,), results (R,) -> params (K,)
    values: Callable[[np.ndarray, np.ndarray], np.ndarray]


def _fit_log_linear(sizes: np.ndarray, results: np.ndarray) -> np.ndarray:
    """y = a + b log10 x by least squares: b is the gain of a tenfold."""
    slope, intercept = np.polyfit(np.log10(sizes), results, 1)
    return np.array([intercept, slope])


def _log_linear(sizes: np.ndarray, params: np.ndarray) -> np.ndarray:
    return params[0] + params[1] * np.log10(sizes)


def _fit_power_law(sizes: np.ndarray, results: np.ndarray) -> np.ndarray:
    """y = c - a (x / x0)^-k by least squares, x0 the smallest size: c is where it saturates.

    For one k the curve is linear in c and a, so that only k is searched, and no start can be wrong (variable
    projection, Golub and Pereyra 1973).
    """
    scaled = sizes / sizes.min()

    def linear(exponent: float) -> tuple[np.ndarray, float]:
        columns = np.stack([np.ones_like(scaled), -(scaled**-exponent)], axis=1)
        params, *_ = np.linalg.lstsq(columns, results, rcond=None)
        return params, float(np.square(columns @ params - results).sum())

    # In the logarithm, as the exponents that matter differ by factors.
    found = optimize.minimize_scalar(
        lambda log_exponent: linear(np.exp(log_exponent))[1], bounds=np.log(EXPONENTS), method="bounded"
    )
    exponent = float(np.exp(found.x))
    (ceiling, amplitude), _ = linear(exponent)
    return np.array([ceiling, amplitude, exponent, sizes.min()])


def _power_law(sizes: np.ndarray, params: np.ndarray) -> np.ndarray:
    ceiling, amplitude, exponent, smallest = params
    return ceiling - amplitude * (sizes / smallest) ** -exponent


FORMS = {
    "log-linear": _Form(_fit_log_linear, _log_linear),
    "power law": _Form(_fit_power_law, _power_law),
}
_BOUNDS = (50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE))


def fit_curve(values: Values, form: str) -> FittedCurve:
    """Fit a curve to every result of every size.

    Args:
        values: size -> results; sizes > 0.
        form: a key of `FORMS`.

    Raises:
        FitError: there are fewer sizes than `LEAST_SIZES` says, or one is not above 0.
    """
    sizes = sorted(values)
    if len(sizes) < LEAST_SIZES[form]:
        raise FitError(f"{len(sizes)} sizes; a {form} fit that could fail needs {LEAST_SIZES[form]} or more")
    if sizes[0] <= 0:
        raise FitError(f"the size {sizes[0]:g} is not above 0, and has no logarithm")
    flat = [(size, result) for size in sizes for result in values[size]]
    return FittedCurve(form, FORMS[form].fit(*np.array(flat, np.float64).T))


def fit_band(values: Values, form: str, bootstraps: int = BOOTSTRAPS, seed: int = 0) -> Band:
    """Fit a curve, and curves to the seeds drawn again with replacement within each size.

    Sizes with one seed vary in no sample: the band says less than it seems to there.

    Args:
        values: size -> results; sizes > 0.
        form: a key of `FORMS`.
        bootstraps: B.
        seed: of the draws.

    Raises:
        FitError: as `fit_curve`.
    """
    rng = np.random.default_rng(seed)
    curve = fit_curve(values, form)
    samples = tuple(
        fit_curve({size: rng.choice(list(results), len(results)).tolist() for size, results in values.items()}, form)
        for _ in range(bootstraps)
    )
    return Band(curve, samples, min(values), max(values))


def predict_last(values: Values, form: str, bootstraps: int = BOOTSTRAPS, seed: int = 0) -> Prediction:
    """Fit all sizes but the largest, and compare the curve with what was found there.

    Raises:
        FitError: as `fit_curve`, of the smaller sizes.
    """
    largest = max(values)
    band = fit_band({size: results for size, results in values.items() if size < largest}, form, bootstraps, seed)
    predicted, low, high = band.interval(lambda curve: float(curve.at(np.array([largest]))[0]))
    return Prediction(largest, predicted, low, high, float(np.mean(values[largest])))


def crossing(first: FittedCurve, second: FittedCurve) -> float | None:
    """Return the size at which two log-linear curves meet; None where they are parallel.

    a1 + b1 log10 x = a2 + b2 log10 x at log10 x = (a2 - a1) / (b1 - b2).
    """
    slopes = first.params[1] - second.params[1]
    if slopes == 0:
        return None
    exponent = (second.params[0] - first.params[0]) / slopes
    return float(10**exponent) if abs(exponent) < 300 else None  # beyond lies no float
