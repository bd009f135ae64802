"""Intervals and paired tests, against scipy's own and by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from igdet.reporting.significance import mcnemar, paired_t, t_interval


def test_the_interval_of_a_mean_is_scipys():
    values = [50.0, 52.0, 51.0, 55.0]
    interval = t_interval(values)
    low, high = stats.t.interval(0.95, 3, loc=52, scale=stats.sem(values))
    assert interval == pytest.approx((52, np.std(values, ddof=1), low, high, 4))


def test_one_value_has_no_spread():
    interval = t_interval([3.0])
    assert (interval.mean, interval.n) == (3, 1)
    assert math.isnan(interval.spread)
    assert math.isnan(paired_t([3.0]).p)


def test_the_paired_t_test_is_scipys():
    a, b = [31.0, 33.0, 36.0, 30.0], [30.0, 31.0, 31.0, 31.0]
    test, expected = paired_t(np.subtract(a, b).tolist()), stats.ttest_rel(a, b)
    assert test.p == pytest.approx(expected.pvalue)
    assert (test.low, test.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_equal_differences_tell_no_p():
    assert math.isnan(paired_t([1.0, 1.0, 1.0]).p)
    assert math.isnan(paired_t([90.1 - 80.1, 85.3 - 75.3, 70.7 - 60.7]).p)  # not quite 10 in floating point


def test_mcnemar_counts_the_images_that_one_alone_gets_right():
    # 8 right in A alone, 2 in B alone, 5 in both, 5 in none: p = 2 P(X <= 2 | 10 throws) = 2 (1 + 10 + 45) / 1024.
    a = np.repeat([True, False, True, False], [8, 2, 5, 5])
    b = np.repeat([False, True, True, False], [8, 2, 5, 5])
    test = mcnemar(a, b)
    assert (test.difference, test.n) == (30, 20)
    assert test.p == pytest.approx(112 / 1024)
    error = math.sqrt((10 / 20 - 0.3**2) / 20)
    assert (test.low, test.high) == pytest.approx((30 - 195.9964 * error, 30 + 195.9964 * error), rel=1e-4)


def test_classifiers_that_agree_do_not_differ():
    hits = np.array([True, False, True])
    assert mcnemar(hits, hits) == (0, 0, 0, 1, 3)
