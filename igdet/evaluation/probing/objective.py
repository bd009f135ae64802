"""The objective of multinomial logistic regression, which is scikit-learn's `LogisticRegression` divided by C N.

    f(W, b) = 1/N sum_i (logsumexp(z_i) - z_i[y_i]) + |W|^2 / (2 C N),    z_i = x_i W + b

Shapes: N images, D features, L classes; parameters (D + 1, L), the last row is the intercept b.
"""

import torch
from torch import Tensor

BLOCK = 1024  # images whose logits are worked on at a time: 4 MB for 1,000 classes, which stays in the cache


class SoftmaxLoss:
    """The mean cross-entropy of a linear classifier on given features: its value, slopes and curvature.

    Args:
        features: float (N, D).
        labels: int64 (N,), 0..L - 1.
        num_classes: L.
    """

    def __init__(self, features: Tensor, labels: Tensor, num_classes: int):
        self.features = features
        self.labels = labels[:, None]  # (N, 1)
        self.num_classes = num_classes

    def zeros(self) -> Tensor:
        """Parameters to start from, (D + 1, L)."""
        return self.features.new_zeros(self.features.shape[1] + 1, self.num_classes)

    def logits(self, params: Tensor) -> Tensor:
        """(N, L); linear in the parameters, so that a step along a direction needs no further product."""
        return torch.addmm(params[-1], self.features, params[:-1])

    def value(self, logits: Tensor) -> float:
        """The mean cross-entropy, summed in float64."""
        total = 0.0
        for rows in self._blocks():
            z = logits[rows]
            total += (z.logsumexp(1) - z.gather(1, self.labels[rows])[:, 0]).sum(dtype=torch.float64).item()
        return total / len(logits)

    def along(self, logits: Tensor, change: Tensor, step: float) -> tuple[float, float]:
        """First and second derivative, by `step`, of the mean cross-entropy at `logits + step * change`."""
        slope = curvature = 0.0
        for rows in self._blocks():
            p, d = torch.add(logits[rows], change[rows], alpha=step).softmax(1), change[rows]
            weighted = p.mul_(d)
            mean = weighted.sum(1)  # E[d] under p; the curvature is d's variance
            slope += (mean - d.gather(1, self.labels[rows])[:, 0]).sum(dtype=torch.float64).item()
            curvature += (weighted.mul_(d).sum(1) - mean.square()).sum(dtype=torch.float64).item()
        return slope / len(logits), max(curvature, 0.0) / len(logits)

    def gradient(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """The gradient, X' (softmax - one-hot) / N, and the mean curvature of each logit.

        Returns:
            (D + 1, L); (L,): mean of p (1 - p), the diagonal of the softmax's Hessian.
        """
        residuals, curvature = torch.empty_like(logits), logits.new_zeros(self.num_classes)
        for rows in self._blocks():
            p = torch.softmax(logits[rows], 1)
            curvature += (p - p.square()).sum(0)
            residuals[rows] = p.scatter_add_(1, self.labels[rows], p.new_full(self.labels[rows].shape, -1.0))
        weights = self.features.T @ residuals
        return torch.cat([weights, residuals.sum(0, keepdim=True)]) / len(logits), curvature / len(logits)

    def _blocks(self) -> list[slice]:
        return [slice(start, start + BLOCK) for start in range(0, len(self.features), BLOCK)]
