"""Calibration error, by hand and against a plain loop over the bins."""

import numpy as np
import pytest

from igdet.evaluation.classification import expected_calibration_error


def test_by_hand():
    # Bins of 1/15: 0.95 and 0.97 share the last one (one of two right: |0.5 - 0.96|), 0.5 is alone (wrong).
    error = expected_calibration_error(np.array([0.95, 0.97, 0.5]), np.array([True, False, False]))
    assert error == pytest.approx((2 * 0.46 + 0.5) / 3)


def test_against_a_loop():
    random = np.random.default_rng(0)
    confidences, hits = random.random(1000).astype(np.float32), random.random(1000) < 0.4
    expected = 0.0
    for low in range(15):
        inside = (confidences > low / 15) & (confidences <= (low + 1) / 15)
        expected += inside.mean() * abs(hits[inside].mean() - confidences[inside].mean())
    assert expected_calibration_error(confidences, hits) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("confidence", "right", "error"), [(0.0, False, 0), (1.0, True, 0), (1.0, False, 1)])
def test_the_ends_of_the_range(confidence, right, error):
    assert expected_calibration_error(np.array([confidence]), np.array([right])) == error
