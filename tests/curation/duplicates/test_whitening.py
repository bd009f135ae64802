"""Whitening of vectors."""

import numpy as np
import pytest

from igdet.curation.duplicates.vectors import learn_whitening


def test_whitened_vectors_vary_as_much_in_every_direction():
    spread = np.array([9, 3, 1, 0.1])
    vectors = np.random.default_rng(0).normal(5, spread, (4000, 4))
    mean, projection = learn_whitening(vectors)
    assert np.cov((vectors - mean) @ projection, rowvar=False) == pytest.approx(np.eye(4), abs=1e-3)


def test_whitened_vectors_have_length_one():
    vectors = np.random.default_rng(0).normal(5, 1, (300, 8)).astype(np.float16)
    whitened = learn_whitening(vectors)(vectors)
    assert whitened.dtype == np.float16
    assert np.linalg.norm(whitened.astype(float), axis=1) == pytest.approx(np.ones(300), abs=1e-2)


@pytest.mark.parametrize(("count", "kept"), [(160, 16), (400, 40), (1000, 64)])
def test_ten_samples_are_needed_for_each_number_that_is_left(count, kept):
    assert learn_whitening(np.random.default_rng(0).normal(size=(count, 64))).projection.shape == (64, kept)


def test_at_most_256_numbers_are_left():
    assert learn_whitening(np.random.default_rng(0).normal(size=(3000, 300))).projection.shape == (300, 256)


def test_few_vectors_keep_their_cosines():
    vectors = np.random.default_rng(0).normal(size=(159, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert learn_whitening(vectors)(vectors) == pytest.approx(vectors, abs=1e-3)


def test_dead_channels_and_a_image_like_the_mean_stay_finite():
    vectors = np.random.default_rng(0).normal(size=(200, 8))
    vectors[:, 3:] = 0
    whiten = learn_whitening(vectors)
    assert np.isfinite(whiten(np.vstack([vectors, whiten.mean]))).all()
