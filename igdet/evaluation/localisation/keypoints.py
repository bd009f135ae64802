"""Errors of keypoints by kind, for a detection matched to an object.

Source: Ronchi and Perona 2017, "Benchmarking and Error Diagnosis in Multi-Instance Pose Estimation", ICCV.
"""

from collections.abc import Sequence

import numpy as np

KINDS = ("good", "jitter", "inversion", "swap", "miss")
GOOD, NEAR = 0.85, 0.5  # similarities


def similarity(points: np.ndarray, truth: np.ndarray, area: float, sigmas: np.ndarray) -> np.ndarray:
    """ks = exp(-d^2 / (2 area (2 sigma)^2)), one keypoint's term of the object keypoint similarity.

    Args:
        points, truth: (..., K, 2), pixels.
        area: of the object, pixels.
        sigmas: (K,).
    """
    squared = ((points - truth) ** 2).sum(-1)
    return np.exp(-squared / (2 * max(area, np.spacing(1)) * (2 * sigmas) ** 2))


def keypoint_kinds(
    points: np.ndarray,
    truth: np.ndarray,
    area: float,
    sigmas: np.ndarray,
    mirrored: Sequence[int],
    others: Sequence[np.ndarray] = (),
) -> list[str | None]:
    """Say what each predicted keypoint of a matched detection is.

    Args:
        points: (K, 2) prediction, pixels.
        truth: (K, 3) the matched object's keypoints, x, y and v (0: not labelled).
        area: of that object, pixels.
        sigmas: (K,).
        mirrored: for each keypoint that of the other side, itself where there is none.
        others: (K, 3) each, keypoints of the other objects in the picture.

    Returns:
        A kind a keypoint; None where it is not labelled.
    """
    mirrored = np.asarray(mirrored)
    own = similarity(points, truth[:, :2], area, sigmas)
    # The other side, and either side of another object, where it is labelled; never the keypoint itself.
    inverted = _seen(points, truth[mirrored], area, sigmas) * (mirrored != np.arange(len(truth)))
    elsewhere = [_seen(points, other[order], area, sigmas) for other in others for order in (slice(None), mirrored)]
    swapped = np.max(elsewhere, axis=0, initial=0) if elsewhere else np.zeros(len(own))
    return [
        _kind(*values) if labelled else None
        for *values, labelled in zip(own, inverted, swapped, truth[:, 2] > 0, strict=True)
    ]


def _seen(points: np.ndarray, truth: np.ndarray, area: float, sigmas: np.ndarray) -> np.ndarray:
    return similarity(points, truth[:, :2], area, sigmas) * (truth[:, 2] > 0)


def _kind(own: float, inverted: float, swapped: float) -> str:
    if own >= NEAR:
        return "good" if own >= GOOD else "jitter"
    if max(inverted, swapped) < NEAR:
        return "miss"
    return "inversion" if inverted >= swapped else "swap"
