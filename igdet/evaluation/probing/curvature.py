"""What L-BFGS has learned about the curvature: the last steps with the changes of the slope that they made."""

from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor

KEPT = 10  # pairs: the usual choice (Liu and Nocedal 1989); each costs twice the parameters' memory


class CurvaturePairs:
    """Pairs (s, y) of steps and changes of the unpenalised gradient; the penalty's part is added when they are used.

    So kept, the pairs of one L2 strength hold for every other.
    """

    def __init__(self):
        self._pairs: deque[tuple[Tensor, Tensor]] = deque(maxlen=KEPT)

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
