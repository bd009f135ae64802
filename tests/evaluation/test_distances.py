"""Distances of features against scipy, scikit-learn and closed forms; the bias of few images; what is refused."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from sklearn.metrics.pairwise import polynomial_kernel

from igdet.evaluation.distances import (
    DistanceError,
    distances,
    frechet_distance,
    frechet_infinity,
    kernel_distance,
)


def gaussian(count, channels, seed, mean=0.0, scale=1.0):
    return mean + scale * np.random.default_rng(seed).standard_normal((count, channels))


def exact(features, covariance):
    """Features whose sample mean is 0 and whose sample covariance is the given one."""
    centred = features - features.mean(axis=0)
    root = np.linalg.cholesky(np.linalg.inv(np.cov(centred, rowvar=False)))
    return centred @ root @ np.linalg.cholesky(covariance).T


def frechet_by_scipy(first, second):
    means = first.mean(axis=0) - second.mean(axis=0)
    covariances = [np.cov(features, rowvar=False) for features in (first, second)]
    root = sqrtm(covariances[0] @ covariances[1]).real
    return means @ means + np.trace(covariances[0] + covariances[1] - 2 * root)


@pytest.mark.parametrize(("first", "second"), [(200, 300), (9, 40)])
def test_frechet_is_the_formula_as_scipy_computes_it(first, second):
    ours, theirs = gaussian(first, 8, 0) @ np.diag(np.arange(1, 9)), gaussian(second, 8, 1, mean=0.5)
    assert frechet_distance(ours, theirs) == pytest.approx(frechet_by_scipy(ours, theirs), rel=1e-9)


def test_frechet_of_gaussians_is_their_closed_form():
    """For covariances that commute it is |m1 - m2|^2 + |root S1 - root S2|^2: 4 x 3^2 + (2 - 1)^2 + (3 - 1)^2 + 0."""
    features = gaussian(50, 4, 0)
    first, second = exact(features, np.eye(4)), exact(features[::-1], np.diag([4.0, 9, 1, 1])) + 3
    assert frechet_distance(first, second) == pytest.approx(36 + 1 + 4)


def test_fewer_images_than_channels_are_no_special_case():
    """With 3 images of 100 channels along one axis each set is one Gaussian of variance 1 or 4: (2 - 1)^2."""
    axis = np.zeros((3, 100))
    axis[:, 7] = [-1, 0, 1]
    assert frechet_distance(axis, 2 * axis) == pytest.approx(1)
    assert frechet_distance(axis, axis) == pytest.approx(0, abs=1e-12)


def test_float16_is_computed_in_float64():
    features = gaussian(64, 4, 0, mean=300).astype(np.float16)
    assert frechet_distance(features, features + np.float16(16)) == pytest.approx(4 * 16**2)


def test_the_bias_of_frechet_falls_with_the_images_and_is_extrapolated_away():
    """Two halves of one set are 0 apart but for the bias, which falls with 1 / N."""
    biased = [frechet_distance(gaussian(count, 16, 0), gaussian(count, 16, 1)) for count in (100, 400, 1600)]
    assert biased[0] > 2 * biased[1] > 4 * biased[2] > 0
    assert abs(frechet_infinity(gaussian(1600, 16, 0), gaussian(1600, 16, 1))) < biased[2] / 2
    # |m1 - m2|^2 is 16 x 0.5^2 = 4, with a standard deviation of about 2 x 2 x root(2 / 1600) = 0.14 over samples.
    far = gaussian(1600, 16, 0), gaussian(1600, 16, 1, mean=0.5)
    assert abs(frechet_infinity(*far) - 4) < 3 * 0.14


def kernel_by_sklearn(first, second):
    """The unbiased estimate as Bińkowski et al. write it, sum by sum."""
    within = 0.0
    for features in (first, second):
        kernel = polynomial_kernel(features, degree=3, coef0=1)  # gamma is 1 / C
        np.fill_diagonal(kernel, 0)
        within += kernel.sum() / (len(features) * (len(features) - 1))
    return within - 2 * polynomial_kernel(first, second, degree=3, coef0=1).mean()


def test_the_kernel_distance_is_that_of_scikit_learns_kernel():
    first, second = gaussian(2, 5, 0), gaussian(2, 5, 1, mean=1)
    value, error = kernel_distance(first, second)
    assert value == pytest.approx(kernel_by_sklearn(first, second))
    assert np.isnan(error)  # of two images none can be left out


def test_the_mean_and_the_error_are_those_of_leaving_one_image_of_each_out():
    """Of three images each: the pairs that are left out together are drawn, so all six matchings are tried."""
    first, second = gaussian(3, 4, 0), gaussian(3, 4, 1, mean=1)
    value, error = kernel_distance(first, second)
    expected = []
    for order in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]:
        left = [
            kernel_by_sklearn(np.delete(first, a, axis=0), np.delete(second, b, axis=0)) for a, b in enumerate(order)
        ]
        spread = sum((one - np.mean(left)) ** 2 for one in left)
        expected.append((np.mean(left), np.sqrt(spread * 2 / 3)))
    assert any((value, error) == pytest.approx(pair) for pair in expected)


def test_halves_of_one_set_are_0_apart_within_the_error_and_others_are_not():
    found = [kernel_distance(gaussian(100, 8, 2 * seed), gaussian(80, 8, 2 * seed + 1)) for seed in range(40)]
    values, errors = np.array(found).T
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(40)  # unbiased
    assert (values < 0).any()
    assert 0.5 < errors.mean() / values.std() < 2
    value, error = kernel_distance(gaussian(100, 8, 0), gaussian(100, 8, 1, mean=1))
    assert value > 5 * error


def test_all_distances_at_once_and_what_few_images_do_not_allow():
    first, second = gaussian(60, 4, 0), gaussian(49, 4, 1)
    found = distances(first, second)
    assert found.frechet == frechet_distance(first, second)
    assert (found.kernel, found.kernel_error) == kernel_distance(first, second)
    assert np.isnan(found.frechet_infinity)
    assert distances(first, gaussian(50, 4, 1)).frechet_infinity == frechet_infinity(first, gaussian(50, 4, 1))


@pytest.mark.parametrize("distance", [distances, frechet_distance, frechet_infinity, kernel_distance])
def test_features_between_which_there_is_no_distance_are_refused(distance):
    good = gaussian(4, 3, 0)
    with pytest.raises(DistanceError, match=r"second features are \(1, 3\): expected \(N, C\) of two images"):
        distance(good, good[:1])
    with pytest.raises(DistanceError, match=r"first features are \(0, 3\)"):
        distance(good[:0], good)
    with pytest.raises(DistanceError, match=r"features of 3 and 2 channels"):
        distance(good, good[:, :2])
    broken = good.copy()
    broken[2, 1] = np.inf
    with pytest.raises(DistanceError, match="second features of image 2 are not finite"):
        distance(good, broken)
