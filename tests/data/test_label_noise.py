"""Tests of label noise."""

import numpy as np
import pytest

from igdet.data.samples import LabelNoise

COUNTS = np.array([60, 0, 30, 10])


def test_without_noise_labels_stay():
    ids = np.array([2, 3], dtype=np.int32)
    noisy = LabelNoise(0.0, COUNTS, 0)(ids, "post")
    assert noisy.tolist() == [2, 3]
    assert noisy.dtype == np.int32


def test_full_noise_draws_from_the_marginal_distribution():
    noise = LabelNoise(1.0, COUNTS, 0)
    drawn = np.concatenate([noise(np.array([1], dtype=np.int32), f"post{i}") for i in range(10_000)])
    shares = np.bincount(drawn, minlength=4) / 10_000
    assert shares[1] == 0  # nobody uses label 1
    # Standard error of a share of 0.6 over 10,000 draws: 0.005
    np.testing.assert_allclose(shares, [0.6, 0.0, 0.3, 0.1], atol=0.02)


def test_each_label_is_replaced_with_the_probability():
    noise = LabelNoise(0.25, np.array([0, 0, 1]), 1)
    results = [tuple(noise(np.array([0, 1], dtype=np.int32), f"post{i}")) for i in range(10_000)]
    shares = {labels: results.count(labels) / 10_000 for labels in set(results)}
    # Hand-worked: none replaced 0.75^2, one of two 2 x 0.25 x 0.75, both 0.25^2 (they fall together on label 2).
    expected = {(0, 1): 0.5625, (1, 2): 0.1875, (0, 2): 0.1875, (2,): 0.0625}
    assert shares.keys() == expected.keys()
    for labels, share in expected.items():
        assert shares[labels] == pytest.approx(share, abs=0.02)


def test_a_post_keeps_its_noise_whatever_else_is_drawn():
    ids, names = np.array([0, 2, 3], dtype=np.int32), [f"post{i}" for i in range(200)]
    first, second = (LabelNoise(0.5, COUNTS, 5) for _ in range(2))
    forwards = {name: first(ids, name).tolist() for name in names}
    assert {name: second(ids, name).tolist() for name in reversed(names)} == forwards


def test_a_seed_gives_other_noise():
    ids, names = np.array([0], dtype=np.int32), [f"post{i}" for i in range(1000)]
    one, other = ([LabelNoise(1.0, np.ones(10), seed)(ids, name)[0] for name in names] for seed in (0, 1))
    assert np.mean(np.equal(one, other)) == pytest.approx(0.1, abs=0.05)  # as often as chance has it


def test_the_noise_of_a_place_does_not_depend_on_the_labels_behind_it():
    noise = LabelNoise(1.0, np.ones(1000), 0)
    for i in range(50):
        [alone] = noise(np.array([7], dtype=np.int32), f"post{i}")
        assert alone in noise(np.array([7, 9, 11], dtype=np.int32), f"post{i}")


def test_a_share_beyond_one_is_refused():
    with pytest.raises(ValueError, match=r"LABEL_NOISE .* not 1\.5"):
        LabelNoise(1.5, COUNTS, 0)
