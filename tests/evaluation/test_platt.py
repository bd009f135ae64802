"""Platt scaling against scikit-learn's two ways to it, and by hand."""

import numpy as np
import pytest
from sklearn.calibration import _sigmoid_calibration
from sklearn.linear_model import LogisticRegression

from igdet.evaluation import platt
from igdet.evaluation.platt import PlattScaling, fit_platt
from igdet.utils.errors import UserError


def examples(count, slope, intercept, seed=0):
    """Scores, and what is true with the probability that a Platt scaling says."""
    generator = np.random.default_rng(seed)
    scores = generator.normal(-3, 2, count)
    return scores, generator.random(count) < PlattScaling(slope, intercept).probabilities(scores)


@pytest.mark.parametrize(("slope", "intercept"), [(0.8, -0.8), (2.0, 1.0), (0.1, 0.0)])
def test_the_fit_is_scikit_learns(slope, intercept):
    scores, hits = examples(400, slope, intercept)
    found = fit_platt(scores, hits)
    a, b = _sigmoid_calibration(scores, hits.astype(float))  # p = 1 / (1 + exp(a s + b)), with Platt's targets
    assert (found.slope, found.intercept) == pytest.approx((-a, -b), abs=2e-3)


def test_many_examples_are_a_logistic_regression_and_tell_the_curve_they_come_from():
    scores, hits = examples(100_000, 0.8, -0.8)
    found = fit_platt(scores, hits)
    regression = LogisticRegression(C=1e12, tol=1e-10).fit(scores[:, None], hits)
    assert (found.slope, found.intercept) == pytest.approx((regression.coef_[0, 0], regression.intercept_[0]), abs=2e-3)
    assert (found.slope, found.intercept) == pytest.approx((0.8, -0.8), abs=0.05)


def test_equal_scores_have_the_share_of_what_is_true_and_any_shape_and_block_will_do(monkeypatch):
    # 3 of 10 true: targets 4/5 and 1/9, whose mean is (3 * 4/5 + 7 * 1/9) / 10
    found = fit_platt(np.full((2, 5), 1.5), np.arange(10).reshape(2, 5) < 3)
    assert found.probabilities(np.array([1.5])) == pytest.approx([(3 * 0.8 + 7 / 9) / 10], abs=1e-6)
    scores, hits = examples(1000, 1.0, 0.0)
    whole = fit_platt(scores, hits)
    monkeypatch.setattr(platt, "BLOCK", 7)
    assert vars(fit_platt(scores.reshape(10, 100), hits.reshape(10, 100))) == pytest.approx(vars(whole))


def test_scores_that_tell_all_apart_stay_finite():
    found = fit_platt(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([False, False, True, True]))
    assert 0 < found.slope < 2 and found.intercept == pytest.approx(0, abs=1e-6)


def test_probabilities_of_the_identity_are_those_of_the_log_odds():
    odds = np.array([[1.0, 3.0], [1 / 3, 1e-300]])
    assert PlattScaling().probabilities(np.log(odds)) == pytest.approx(np.array([[0.5, 0.75], [0.25, 1e-300]]))
    assert PlattScaling(2, -1).probabilities(np.array([0.5])) == pytest.approx([0.5])


@pytest.mark.parametrize("hits", [np.ones(3, bool), np.zeros(3, bool), np.zeros(0, bool)])
def test_examples_of_one_kind_are_refused(hits):
    with pytest.raises(UserError, match="calibration needs both"):
        fit_platt(np.zeros(len(hits)), hits)
