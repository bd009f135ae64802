"""Fits of growth with size, against cases by hand and SciPy's general fit."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from igdet.reporting.fits import FitError, FittedCurve, crossing, fit_band, fit_curve, predict_last

LINE = {10.0: [1.0, 3.0], 100.0: [5.0, 7.0], 1000.0: [9.0, 11.0]}  # means 2, 6, 10: four points a tenfold


def test_a_log_linear_fit_by_hand():
    intercept, slope = fit_curve(LINE, "log-linear").params
    assert slope == pytest.approx(4) and intercept == pytest.approx(-2)
    assert fit_curve(LINE, "log-linear").at(np.array([10_000.0])) == pytest.approx([14])


def test_a_power_law_is_found_again():
    sizes = 100.0 * 2.0 ** np.arange(6)
    values = {size: [80 - 30 * (size / 100) ** -0.5] for size in sizes}
    ceiling, amplitude, exponent, _ = fit_curve(values, "power law").params
    assert (ceiling, amplitude, exponent) == pytest.approx((80, 30, 0.5), abs=1e-3)


def test_a_power_law_fits_as_scipy_does():
    rng = np.random.default_rng(0)
    sizes = np.repeat(100.0 * 3.0 ** np.arange(5), 3)
    results = 60 - 25 * (sizes / 100) ** -0.4 + rng.normal(0, 0.5, len(sizes))
    values = {size: results[sizes == size] for size in np.unique(sizes)}
    theirs, _ = curve_fit(lambda x, c, a, k: c - a * (x / 100) ** -k, sizes, results, p0=(60, 25, 0.4))
    assert fit_curve(values, "power law").params[:3] == pytest.approx(theirs, rel=1e-3)


def test_the_band_spans_the_seeds_and_the_tenfold():
    band = fit_band(LINE, "log-linear", bootstraps=400)
    gain, low, high = band.per_tenfold
    assert gain == pytest.approx(4) and low < 4 < high
    # All means of two draws of {m - 1, m + 1} lie within 1 of m, so the slope of the ends lies within 1 of 4.
    assert low >= 3 - 1e-9 and high <= 5 + 1e-9
    below, above = band.bounds(np.array([10.0, 100.0, 1000.0]))
    assert (below < [2, 6, 10]).all() and (above > [2, 6, 10]).all()
    assert below[1] >= 5 and above[1] <= 7  # the line passes through the mean of all results at the middle


def test_equal_seeds_have_no_band():
    values = {size: [mean, mean] for size, mean in ((1, 0.0), (10, 1.0), (100, 2.0))}
    assert fit_band(values, "log-linear", bootstraps=20).per_tenfold == pytest.approx((1, 1, 1))


def test_the_last_size_is_predicted_from_the_others():
    straight = predict_last({**LINE, 10_000.0: [13.0, 15.0]}, "log-linear", bootstraps=100)
    assert (straight.size, straight.predicted, straight.observed) == pytest.approx((10_000, 14, 14))
    assert straight.error == pytest.approx(0) and straight.is_met
    bent = predict_last({**LINE, 10_000.0: [10.0, 10.0]}, "log-linear", bootstraps=100)
    assert bent.error == pytest.approx(-4) and not bent.is_met


def test_where_two_lines_cross():
    first, second = FittedCurve("log-linear", np.array([0.0, 2.0])), FittedCurve("log-linear", np.array([3.0, 1.0]))
    assert crossing(first, second) == pytest.approx(1000)  # 2 x = 3 + x at x = 3
    assert crossing(first, FittedCurve("log-linear", np.array([1.0, 2.0]))) is None
    assert crossing(first, FittedCurve("log-linear", np.array([1e3, 2.0 - 1e-3]))) is None  # at 10^1,000,000


@pytest.mark.parametrize(
    ("values", "form", "message"),
    [
        ({1.0: [1], 10.0: [2]}, "log-linear", "2 sizes; a log-linear fit that could fail needs 3"),
        ({1.0: [1], 10.0: [2], 100.0: [3]}, "power law", "3 sizes; a power law fit that could fail needs 4"),
        ({0.0: [1], 10.0: [2], 100.0: [3]}, "log-linear", "the size 0 is not above 0"),
    ],
)
def test_too_few_sizes_are_refused(values, form, message):
    with pytest.raises(FitError, match=message):
        fit_curve(values, form)
