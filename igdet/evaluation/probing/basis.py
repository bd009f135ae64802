"""Features in a basis of their own: centred, scaled by one number, turned so that they are uncorrelated.

The intercept takes up the centring, a turn changes no norm, and one scale for all only renames C; so a logistic
regression has the same minimum as on the features as they are, with C multiplied by the scale's square.

Shapes: N images, D features.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class PrincipalBasis:
    """The principal axes of a training set.

    Attributes:
        mean: (D,).
        axes: (D, D), orthogonal columns, the largest variance last, divided by the root of the features' mean squared
            distance from the mean, so that this distance is 1.
    """

    mean: Tensor
    axes: Tensor

    @classmethod
    def of(cls, features: Tensor) -> "PrincipalBasis":
        """Find the basis of float features (N, D)."""
        mean = features.mean(0, dtype=torch.float64).to(features.dtype)
        centred = features - mean
        covariance = centred.T @ centred / len(features)
        scale = covariance.trace().sqrt()
        if not scale > 0:  # all pictures look the same: no basis is better than another
            return cls(mean, torch.eye(len(mean), dtype=mean.dtype))
        _, axes = torch.linalg.eigh(covariance / scale.square())
        return cls(mean, axes / scale)

    def __call__(self, features: Tensor) -> Tensor:
        """Turn features (N, D) into the basis, (N, D)."""
        return torch.addmm(-self.mean @ self.axes, features, self.axes)
