"""Means, spreads and paired gains against numbers worked by hand."""

import pytest

from igdet.reporting.significance import paired_gain, summarise


def test_spread_is_the_sample_standard_deviation():
    summary = summarise([1.0, 2.0, 4.0])
    assert (summary.mean, summary.n) == (pytest.approx(7 / 3), 3)
    assert summary.spread == pytest.approx((((4 / 3) ** 2 + (1 / 3) ** 2 + (5 / 3) ** 2) / 2) ** 0.5)
    assert summary.text() == "2.3 ± 1.5"


def test_one_seed_has_no_spread():
    assert summarise([41.25]).spread is None
    assert summarise([41.25]).text() == "41.2"


def test_nothing_has_no_summary():
    assert summarise([]) is None
    assert paired_gain({0: 1.0}, {1: 1.0}) is None


def test_gains_are_paired_by_seed():
    gain = paired_gain({0: 11.0, 1: 23.0, 7: 99.0}, {0: 1.0, 1: 11.0, 5: 0.0})
    assert (gain.mean, gain.n) == (11.0, 2)  # 10 and 12
    assert gain.spread == pytest.approx(2**0.5)
    assert gain.text(signed=True) == "+11.0 ± 1.4"


def test_noise_is_the_largest_of_three_spreads():
    assert paired_gain({0: 11.0, 1: 23.0}, {0: 1.0, 1: 11.0}).noise == pytest.approx(12 / 2**0.5)  # the candidate's
    assert paired_gain({0: 1.0, 1: 11.0}, {0: 11.0, 1: 23.0}).noise == pytest.approx(12 / 2**0.5)  # the baseline's
    assert paired_gain({0: 5.0, 1: 5.0}, {0: 4.0, 1: 2.0}).noise == pytest.approx(2**0.5)  # the difference's


@pytest.mark.parametrize(
    ("candidate", "verdict"),
    [
        ({0: 13.0, 1: 13.5}, "gain"),
        ({0: 7.0, 1: 7.5}, "loss"),
        ({0: 10.1, 1: 10.2}, "within spread"),
        ({0: 13.0}, "single seed"),
    ],
)
def test_verdicts(candidate, verdict):
    assert paired_gain(candidate, {0: 10.0, 1: 11.0}).verdict == verdict


def test_where_lower_is_better_a_fall_is_a_gain():
    baseline = {0: 10.0, 1: 11.0}
    assert paired_gain({0: 7.0, 1: 7.5}, baseline, lower_is_better=True).verdict == "gain"
    assert paired_gain({0: 13.0, 1: 13.5}, baseline, lower_is_better=True).verdict == "loss"
    assert paired_gain({0: 10.1, 1: 10.2}, baseline, lower_is_better=True).verdict == "within spread"


def test_a_loss_has_a_minus_sign():
    assert paired_gain({0: 1.0}, {0: 3.0}).text(signed=True) == "−2.0"
