"""How far two sets of images are from each other, by the features that one trunk has of them.

Shapes: N and M images, C channels.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from igdet.utils.errors import UserError

# Both sets are split into 1, 2, ... 5 parts for the bias of the Fréchet distance: 15 distances, as in Chong & Forsyth.
SPLITS = 5
LEAST_TO_EXTRAPOLATE = 50  # images of a set; a line through parts of fewer than ten says nothing
PARTS = 10  # of both sets, each left out once for the kernel distance
DEGREE = 3  # of the polynomial kernel


class DistanceError(UserError):
    """Features between which there is no distance."""


class Distances(NamedTuple):
    """What two sets of features are apart; each is 0 for two equal distributions.

    Attributes:
        frechet: as `frechet_distance`, of all images; biased upward.
        frechet_infinity: extrapolated to infinitely many images; NaN where a set has fewer than 50.
        kernel: as `kernel_distance`.
        kernel_error: its standard error; NaN where a set has two images.
    """

    frechet: float
    frechet_infinity: float
    kernel: float
    kernel_error: float


def distances(first: np.ndarray, second: np.ndarray) -> Distances:
    """Return the distances between two sets of images.

    Args:
        first: float (N, C), N >= 2.
        second: float (M, C), M >= 2.

    Raises:
        DistanceError: a set has fewer than two images, the channels differ, or a feature is not finite.
    """
    first, second = _checked(first, second)
    return Distances(_frechet(first, second), _extrapolated(first, second), *_kernel_over_parts(first, second))


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the squared Fréchet distance between the Gaussians of two sets, as of "FID" in other features.

    |m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2)), with means m and covariances S (divisor N - 1): Heusel et al. 2017
    (arXiv 1706.08500). It is biased upward, the more the fewer images there are.

    Args, Raises: as `distances`.
    """
    return _frechet(*_checked(first, second))


def frechet_infinity(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Fréchet distance extrapolated to infinitely many images of both sets, NaN with fewer than 50 of one.

    The bias of N images is c / N to first order, so that a line through the distances of smaller sets over 1 / N meets
    1 / N = 0 at the distance without it: Chong & Forsyth 2020 (arXiv 1911.07023), who draw parts of one of the sets.
    Here both are split into 1 to 5 disjoint parts, over which the distance is averaged: no image is left out.

    Args, Raises: as `distances`.
    """
    return _extrapolated(*_checked(first, second))


def kernel_distance(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Return the squared maximum mean discrepancy of the cubic polynomial kernel, unbiased, and its standard error.

    k(x, y) = (x.y / C + 1)^3: Bińkowski et al. 2018 (arXiv 1801.01401). Mean over ten subsets, each without another
    tenth of both sets, and the delete-a-group jackknife's standard error: subsets drawn at random, as there, share
    images, so that their spread would be no error of their mean.

    Args, Raises: as `distances`.
    """
    return _kernel_over_parts(*_checked(first, second))


def _checked(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both sets in float64, shuffled, so that any part of them is a random one."""
    for name, features in (("first", first), ("second", second)):
        if features.ndim != 2 or len(features) < 2:
            raise DistanceError(f"the {name} features are {features.shape}: expected (N, C) of two images or more")
        if not np.isfinite(features).all():
            row = int(np.nonzero(~np.isfinite(features).all(axis=1))[0][0])
            raise DistanceError(f"the {name} features of image {row} are not finite: check the weights of the trunk")
    if first.shape[1] != second.shape[1]:
        raise DistanceError(f"features of {first.shape[1]} and {second.shape[1]} channels: expected those of one trunk")
    rng = np.random.default_rng(0)
    return rng.permutation(first.astype(np.float64)), rng.permutation(second.astype(np.float64))


def _frechet(first: np.ndarray, second: np.ndarray) -> float:
    # S = R'R. The eigenvalues of S1 S2 are the squared singular values of R1 R2', so that Tr (S1 S2)^(1/2) is their
    # sum: no covariance is formed or inverted, and fewer images than channels are no special case.
    roots = [_root(features) for features in (first, second)]
    means = first.mean(axis=0) - second.mean(axis=0)
    shared = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    return float(means @ means + sum((root**2).sum() for root in roots) - 2 * shared)


def _root(features: np.ndarray) -> np.ndarray:
    """Return R with R'R the covariance: (min(N, C), C)."""
    centred = (features - features.mean(axis=0)) / np.sqrt(len(features) - 1)
    return np.asarray(np.linalg.qr(centred, mode="r")) if len(centred) > centred.shape[1] else centred


def _extrapolated(first: np.ndarray, second: np.ndarray) -> float:
    if min(len(first), len(second)) < LEAST_TO_EXTRAPOLATE:
        return float("nan")
    splits = range(1, SPLITS + 1)
    found = [
        np.mean([_frechet(first[part::parts], second[part::parts]) for part in range(parts)])  # every parts-th image
        for parts in splits
    ]
    _, at_infinity = np.polyfit(splits, found, 1)  # 1 / N is proportional to the number of parts
    return float(at_infinity)


def _kernel_over_parts(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    kernels = _kernel(first, first), _kernel(first, second), _kernel(second, second)
    count = min(PARTS, len(first), len(second))
    if count < 3:
        return _discrepancy(*kernels), float("nan")
    # Membership of each image in one of the parts, by its place in the shuffled set.
    parts = [np.arange(len(features)) % count for features in (first, second)]
    found = [_discrepancy(*_without(part, kernels, parts)) for part in range(count)]
    # Variance of the delete-a-group jackknife: (g - 1) / g times the sum of squares = (g - 1) times their mean.
    return float(np.mean(found)), float(np.sqrt((count - 1) * np.var(found)))


def _without(part: int, kernels: Sequence[np.ndarray], parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the kernels of both sets without one part of each."""
    rows, columns = (np.flatnonzero(of_set != part) for of_set in parts)
    sides = (rows, rows), (rows, columns), (columns, columns)
    return [kernel[np.ix_(*side)] for kernel, side in zip(kernels, sides, strict=True)]


def _discrepancy(first: np.ndarray, across: np.ndarray, second: np.ndarray) -> float:
    """Return the unbiased estimate from kernels (N, N), (N, M), (M, M): within a set, no image meets itself."""
    within = sum((kernel.sum() - np.trace(kernel)) / (len(kernel) * (len(kernel) - 1)) for kernel in (first, second))
    return float(within - 2 * across.mean())


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return (first @ second.T / first.shape[1] + 1) ** DEGREE
