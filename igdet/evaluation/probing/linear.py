"""The linear probe: a logistic regression on frozen features, its L2 strength chosen on a held-out part."""

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from igdet.evaluation.probing.logistic import FittedClassifier, fit_path
from igdet.evaluation.probing.splits import LabelledFeatures

logger = logging.getLogger(__name__)

Value = TypeVar("Value", bound=float)


def best_of(accuracies: Mapping[Value, float]) -> Value:
    """Choose by held-out accuracy; of equals the first, which protocols order from simple to complex.

    Args:
        accuracies: value -> percent, in the order of the values.

    Returns:
        The best value.
    """
    return max(accuracies, key=lambda value: accuracies[value])


def warn_of_ends(choices: Sequence[tuple[float, Collection[float]]], what: str, least: float = 0) -> None:
    """Warn of choices at an end of what was tried, in one line an end.

    Args:
        choices: the chosen value and those tried, of each draw.
        what: the values' config key.
        least: the smallest value there can be, of which is not warned.
    """
    ends: Counter[tuple[str, float]] = Counter()
    for chosen, tried in choices:
        sides = {min(tried): "smallest", max(tried): "largest"}
        if len(tried) > 1 and chosen in sides and chosen != least:
            ends[sides[chosen], chosen] += 1
    for (side, value), count in ends.items():
        draws = f" in {count} of {len(choices)} draws" if len(choices) > 1 else ""
        logger.warning(
            f"{what}: the {side}, {value:g}, was best on the held-out part{draws}: a wider range may do better"
        )


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
        # Orthogonal axes change no fit: |W|^2 and the logits of turned features are those of turned weights. But in
        # them the Hessian is nearly diagonal, which is what the optimizer's preconditioner assumes.
        covariance = centred.T @ centred / len(features)
        scale = covariance.trace().sqrt()
        if not scale > 0:  # all images look the same: no basis is better than another
            return cls(mean, torch.eye(len(mean), dtype=mean.dtype))
        _, axes = torch.linalg.eigh(covariance / scale.square())
        return cls(mean, axes / scale)

    def __call__(self, features: Tensor) -> Tensor:
        """Turn features (N, D) into the basis, (N, D)."""
        # (x - mean) A = x A - mean A: without a centred copy of all features.
        return torch.addmm(-self.mean @ self.axes, features, self.axes)


@dataclass(frozen=True)
class Answer:
    """What a protocol says of the test images, and how it came to it.

    Attributes:
        log_scores: float (N, L), log probabilities or what ranks the classes.
        chosen: the value chosen on held-out images.
        held_out: every value tried -> its held-out top-1, percent.
    """

    log_scores: Tensor
    chosen: float
    held_out: Mapping[Any, float]


class LinearProbe:
    """Logistic regressions between one training set and one test set.

    Features are centred and scaled by one number, so that C means the same for every network, and turned into their
    principal axes, which changes no result (`PrincipalBasis`).

    Args:
        train: the images to fit on.
        test: the images to answer for; looked at once, by the chosen classifier.
        num_classes: L.
        strengths: C to try, each > 0.
    """

    def __init__(self, train: LabelledFeatures, test: LabelledFeatures, num_classes: int, strengths: Sequence[float]):
        features = _tensor(train.features)
        basis = PrincipalBasis.of(features)
        self._train, self._test = basis(features), basis(_tensor(test.features))
        self._labels = torch.from_numpy(train.labels)
        self._num_classes = num_classes
        self._strengths = strengths

    def answer(self, fit_on: np.ndarray, choose_by: np.ndarray, refit: bool) -> Answer:
        """Fit every strength, choose one, answer.

        Args:
            fit_on: training rows, int64.
            choose_by: training rows, int64, others.
            refit: whether the chosen strength is fitted again on both before it answers.
        """
        held_out, fits = {}, {}
        for fit in self._fit(fit_on, self._strengths):
            right = fit.logits(self._train[choose_by]).argmax(1) == self._labels[choose_by]
            held_out[fit.strength], fits[fit.strength] = 100 * right.double().mean().item(), fit
        chosen = best_of(held_out)
        final = fits[chosen]
        if refit:
            [final] = self._fit(np.union1d(fit_on, choose_by), [chosen])
        return Answer(final.logits(self._test).log_softmax(1), chosen, held_out)

    def _fit(self, rows: np.ndarray, strengths: Sequence[float]) -> Iterator[FittedClassifier]:
        return fit_path(self._train[rows], self._labels[rows], self._num_classes, strengths)


def _tensor(features: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(features, dtype=np.float32))  # a copy: mapped features are read-only
