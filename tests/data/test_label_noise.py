"""Tests of label noise."""

import numpy as np
import pytest

from igdet.data.label_noise import LabelNoise

COUNTS = np.array([60, 0, 30, 10])


def test_without_noise_labels_stay():
    ids = np.array([2, 3], dtype=np.int32)
    noisy = LabelNoise(0.0, COUNTS)(ids, np.random.default_rng(0))
    assert noisy.tolist() == [2, 3]
    assert noisy.dtype == np.int32


def test_full_noise_draws_from_the_marginal_distribution():
    noise, rng = LabelNoise(1.0, COUNTS), np.random.default_rng(0)
    drawn = np.concatenate([noise(np.array([1], dtype=np.int32), rng) for _ in range(10_000)])
    shares = np.bincount(drawn, minlength=4) / 10_000
    assert shares[1] == 0  # nobody uses label 1
    # Standard error of a share of 0.6 over 10,000 draws: 0.005
    np.testing.assert_allclose(shares, [0.6, 0.0, 0.3, 0.1], atol=0.02)


def test_each_label_is_replaced_with_the_probability():
    noise, rng = LabelNoise(0.25, np.array([0, 0, 1])), np.random.default_rng(1)
    results = [tuple(noise(np.array([0, 1], dtype=np.int32), rng)) for _ in range(10_000)]
    shares = {labels: results.count(labels) / 10_000 for labels in set(results)}
    # Hand-worked: none replaced 0.75^2, one of two 2 x 0.25 x 0.75, both 0.25^2 (they fall together on label 2).
    expected = {(0, 1): 0.5625, (1, 2): 0.1875, (0, 2): 0.1875, (2,): 0.0625}
    assert shares.keys() == expected.keys()
    for labels, share in expected.items():
        assert shares[labels] == pytest.approx(share, abs=0.02)


def test_the_same_generator_state_gives_the_same_labels():
    noise, ids = LabelNoise(0.5, COUNTS), np.array([0, 2, 3], dtype=np.int32)
    first, second = (noise(ids, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_share_beyond_one_is_refused():
    with pytest.raises(ValueError, match=r"LABEL_NOISE .* not 1\.5"):
        LabelNoise(1.5, COUNTS)
