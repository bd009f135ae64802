"""Multinomial logistic regression over a path of L2 strengths, by preconditioned L-BFGS, each fit from the last one."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

logger = logging.getLogger(__name__)
BLOCK = 1024  # images whose logits are worked on at a time: 4 MB for 1,000 classes, which stays in the cache
HISTORY = 10  # pairs: the usual choice (Liu and Nocedal 1989); each costs twice the parameters' memory
SLOPE_LEFT = 0.1  # of the line search: it ends where this share of the slope at its start is left
LINE_STEPS = 20


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
            # With z(t) = z + t d: d/dt (logsumexp(z) - z_label) = E_p[d] - d_label, and again: Var_p[d] >= 0. The line
            # search so needs no product with the features.
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


class CurvaturePairs:
    """Pairs (s, y) of steps and changes of the unpenalised gradient; the penalty's part is added when they are used.

    So kept, the pairs of one L2 strength hold for every other.
    """

    def __init__(self) -> None:
        self._pairs: deque[tuple[Tensor, Tensor]] = deque(maxlen=HISTORY)

    def add(self, step: Tensor, change: Tensor) -> None:
        """Learn from a step and the change of the unpenalised gradient along it, both (D + 1, L)."""
        self._pairs.append((step, change))

    def solve(self, gradient: Tensor, inverse: Tensor, penalised: Callable[[Tensor], Tensor]) -> Tensor:
        """Multiply with the inverse of the Hessian as far as it is known: the two-loop recursion of L-BFGS.

        Args:
            gradient: (D + 1, L).
            inverse: (D + 1, L) > 0, the diagonal from which the recursion starts.
            penalised: step -> change of the penalty's gradient along it.

        Returns:
            (D + 1, L).
        """
        pairs = [(s, y + penalised(s)) for s, y in self._pairs]
        known = [(s, y, sy) for s, y in pairs if (sy := _dot(s, y)) > 0]
        result, shares = gradient, []
        # Nocedal 1980, "Updating quasi-Newton matrices with limited storage". Back from the newest pair, take out of
        # the gradient what each pair explains; multiply with the diagonal; forth again, put in what it says of the
        # inverse. s'y > 0 keeps the matrix positive definite; pairs that rounding has spoiled are passed over.
        for s, y, sy in reversed(known):
            shares.append(_dot(s, result) / sy)
            result = result - shares[-1] * y
        if known:  # the length that the newest pair asks for
            _, y, sy = known[-1]
            inverse = inverse * (sy / _dot(y, inverse * y))
        result = result * inverse
        for (s, y, sy), share in zip(known, reversed(shares), strict=True):
            result = result + (share - _dot(y, result) / sy) * s
        return result


def _dot(a: Tensor, b: Tensor) -> float:
    return (a * b).sum(dtype=torch.float64).item()


@dataclass(frozen=True)
class FittedClassifier:
    """A fitted classifier.

    Attributes:
        strength: C, as scikit-learn has it: the weight of the summed cross-entropy beside |W|^2 / 2.
        params: float (D + 1, L); a class without an image has the intercept -inf.
        objective: the minimum that was reached, mean cross-entropy + |W|^2 / (2 C N).
        iterations: of this strength.
        converged: whether `tolerance` was met.
    """

    strength: float
    params: Tensor
    objective: float
    iterations: int
    converged: bool

    def logits(self, features: Tensor) -> Tensor:
        """(N, L) of features (N, D)."""
        return torch.addmm(self.params[-1], features, self.params[:-1])


def fit_path(
    features: Tensor,
    labels: Tensor,
    num_classes: int,
    strengths: Iterable[float],
    tolerance: float = 1e-5,
    max_iterations: int = 200,
) -> Iterator[FittedClassifier]:
    """Fit one classifier a strength, from the most to the least regularised.

    The intercept is not penalised; with two classes, too, each has its own weights (scikit-learn fits one vector then).
    A fit ends when the decrease that its next step promises, half the slope along it, is at most `tolerance` times
    the objective: for a convex objective an estimate of how far the minimum is.

    Args:
        features: float (N, D), finite.
        labels: int64 (N,), 0..L - 1; classes that do not occur get no weights.
        num_classes: L.
        strengths: C, each > 0.
        tolerance: > 0.
        max_iterations: of each strength.

    Yields:
        the fits, in ascending order of C.
    """
    present, compact = torch.unique(labels, return_inverse=True)
    path = _Path(SoftmaxLoss(features, compact, len(present)), tolerance, max_iterations)
    for strength in sorted(strengths):
        objective, iterations, converged = path.minimise(1 / (strength * len(features)))
        if not converged:
            logger.warning(f"C = {strength:g}: stopped after {iterations} iterations, before it converged")
        params = path.params.new_zeros(len(path.params), num_classes)
        params[-1] = -torch.inf
        params[:, present] = path.params
        yield FittedClassifier(strength, params, objective, iterations, converged)


class _Path:
    """The state that goes from one strength to the next: parameters, their logits, learned curvature."""

    def __init__(self, loss: SoftmaxLoss, tolerance: float, max_iterations: int):
        self._loss, self._tolerance, self._max_iterations = loss, tolerance, max_iterations
        self.params = loss.zeros()
        self._logits = loss.logits(self.params)
        self._pairs = CurvaturePairs()
        # (D + 1, 1): mean square of each feature and of the intercept's 1
        squares = loss.features.square().mean(0)
        self._squares = torch.cat([squares, squares.new_ones(1)])[:, None]
        self._slopes, self._curvature = loss.gradient(self._logits)

    def minimise(self, penalty: float) -> tuple[float, int, bool]:
        """Minimise for one strength, given as 1 / (C N); return objective, iterations, and whether it converged."""
        for iteration in range(self._max_iterations + 1):
            gradient = self._slopes + self._penalised(self.params, penalty)
            # The Hessian's diagonal is mean of x_d^2 p_c (1 - p_c), plus the penalty; taken apart into the product of
            # two means it costs D + L numbers, and scales features and classes as they need.
            inverse = 1 / (self._squares * self._curvature + self._ridge(penalty)).clamp_min(1e-12)
            direction = -self._pairs.solve(gradient, inverse, lambda s: self._penalised(s, penalty))
            # What is added to all classes alike changes no probability: at the minimum it is 0, so it stays 0.
            direction -= direction.mean(1, keepdim=True)
            slope = _dot(gradient, direction)
            # A Newton step promises -slope / 2: for f(t) = f + slope t + c t^2 / 2 the minimum lies slope^2 / (2 c)
            # lower, and at the step length 1 that L-BFGS means, c = -slope.
            objective = self._loss.value(self._logits) + penalty / 2 * _dot(self.params[:-1], self.params[:-1])
            if -slope / 2 <= self._tolerance * objective:
                return objective, iteration, True
            if iteration < self._max_iterations:
                self._step(direction, slope, penalty)
        return objective, iteration, False

    def _step(self, direction: Tensor, slope: float, penalty: float) -> None:
        change = self._loss.logits(direction)
        length = self._step_length(change, direction, slope, penalty)
        self.params = self.params + length * direction
        self._logits.add_(change, alpha=length)
        slopes, self._curvature = self._loss.gradient(self._logits)
        self._pairs.add(length * direction, slopes - self._slopes)
        self._slopes = slopes

    def _step_length(self, change: Tensor, direction: Tensor, slope: float, penalty: float) -> float:
        """Newton's method along the direction, kept between the bounds that the signs of the slopes give."""
        # Along S the penalty is a parabola: (penalty / 2) |W + t S|^2 has the slope penalty (W'S + t |S|^2).
        linear, square = (penalty * _dot(other[:-1], direction[:-1]) for other in (self.params, direction))
        low, high, length = 0.0, float("inf"), 1.0
        for _ in range(LINE_STEPS):
            first, second = self._loss.along(self._logits, change, length)
            first, second = first + linear + length * square, second + square
            if abs(first) <= SLOPE_LEFT * -slope:
                break
            low, high = (length, high) if first < 0 else (low, length)
            newton = length - first / second if second > 0 else high
            middle = min((low + high) / 2, 4 * length)  # grows while there is no upper bound
            length = newton if low < newton < min(high, 4 * length) else middle
        return length

    def _penalised(self, params: Tensor, penalty: float) -> Tensor:
        return params * self._ridge(penalty)

    def _ridge(self, penalty: float) -> Tensor:
        """(D + 1, 1): the penalty of each row; none of the intercept's."""
        ridge = torch.full_like(self._squares, penalty)
        ridge[-1] = 0
        return ridge
