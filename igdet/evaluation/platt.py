"""Platt scaling: probabilities out of scores by a logistic curve that is fitted on examples kept out of training."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from igdet.utils.errors import UserError

BLOCK = 1 << 20  # scores worked on at a time: 8 MB


@dataclass(frozen=True)
class PlattScaling:
    """p = 1 / (1 + exp(-z)) with z = slope * s + intercept; as it is made, of log-odds s their own probability."""

    slope: float = 1.0
    intercept: float = 0.0

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the probability, 0..1, of each score, float64 of the same shape."""
        return expit(self.slope * scores + self.intercept)


def fit_platt(scores: np.ndarray, hits: np.ndarray) -> PlattScaling:
    """Fit slope and intercept by the cross-entropy against Platt's targets.

    Platt 1999, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods",
    section 2.2.

    Args:
        scores: float, of any shape, finite.
        hits: bool, of the same shape: which of them belong to something true.

    Raises:
        UserError: all of them do, or none.
    """
    scores, hits = scores.ravel(), hits.ravel()
    right, wrong = int(hits.sum()), int((~hits).sum())
    if not right or not wrong:
        raise UserError(f"{right:,} scores belong to something true and {wrong:,} do not: calibration needs both")
    # 1 and 0 become (n+ + 1) / (n+ + 2) and 1 / (n- + 2): with them the curve stays finite where scores tell all apart.
    targets = np.array([1 / (wrong + 2), (right + 1) / (right + 2)])
    # The fit is of (s - mean) / spread, whose slope and intercept are of one size, and is told in terms of s.
    mean, spread = float(scores.mean()), float(scores.std()) or 1.0
    standard, start = (scores - mean) / spread, [0.0, np.log((right + 1) / (wrong + 1))]
    slope, intercept = minimize(_loss, start, (standard, hits, targets), "BFGS", jac=True, options={"gtol": 1e-9}).x
    return PlattScaling(float(slope / spread), float(intercept - slope * mean / spread))


def _loss(w: np.ndarray, scores: np.ndarray, hits: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean cross-entropy at w = (slope, intercept), and its gradient (2,)."""
    loss, gradient = 0.0, np.zeros(2)
    for start in range(0, len(scores), BLOCK):
        s, t = scores[start : start + BLOCK], targets[hits[start : start + BLOCK].astype(int)]
        z = w[0] * s + w[1]
        loss += np.sum(np.logaddexp(0, z) - t * z)  # -t log p - (1 - t) log(1 - p) with p = expit(z)
        residuals = expit(z) - t
        gradient += residuals @ s, residuals.sum()
    return loss / len(scores), gradient / len(scores)
