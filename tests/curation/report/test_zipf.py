"""Zipf's law: exact data give their exponent back, and too little data give none."""

import numpy as np
import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.report.distributions import MIN_POSTS, fit_zipf


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.7])
def test_exact_data_give_their_exponent_back(exponent):
    fit = fit_zipf(1e9 * np.arange(1.0, 5001) ** -exponent)
    assert fit.exponent == pytest.approx(exponent)
    assert fit.constant == pytest.approx(1e9)
    assert fit.error == pytest.approx(0, abs=1e-6)
    assert fit.last_rank == 5000
    assert fit([1, 100]) == pytest.approx([1e9, 1e9 * 100**-exponent])


def test_error_and_constant_of_data_off_the_line():
    x, y = np.log([1, 2, 3]), np.log([60, 40, 10])
    slope, intercept = np.polyfit(x, y, 1)
    variance = ((y - intercept - slope * x) ** 2).sum() / ((x - x.mean()) ** 2).sum()  # over n - 2 = 1
    fit = fit_zipf(np.array([60, 40, 10]))
    assert fit == pytest.approx((-slope, np.sqrt(variance), np.exp(intercept), 3))


def test_rare_labels_are_not_fitted():
    posts = np.array([600, 300, 200, 150, MIN_POSTS])
    assert fit_zipf(np.append(posts, [MIN_POSTS - 1] * 1000)) == fit_zipf(posts)
    assert fit_zipf(posts).last_rank == 5


def test_labels_that_are_all_as_frequent_have_no_slope():
    fit = fit_zipf(np.full(50, 7))
    assert fit.exponent == pytest.approx(0, abs=1e-12)
    assert fit.constant == pytest.approx(7)


@pytest.mark.parametrize("posts", [[], [9], [9, 8], [9, 8, 4, 3], [1] * 100])
def test_too_few_labels(posts):
    assert fit_zipf(np.array(posts, np.int64)) is None
