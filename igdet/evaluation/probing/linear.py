"""The linear probe: a logistic regression on frozen features, its L2 strength chosen on a held-out part.

Shapes: N images, D features, L classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from igdet.evaluation.probing.basis import PrincipalBasis
from igdet.evaluation.probing.choosing import best_of
from igdet.evaluation.probing.labelled import LabelledFeatures
from igdet.evaluation.probing.logistic import fit_path


@dataclass(frozen=True)
class Answer:
    """What a protocol says of the test pictures, and how it came to it.

    Attributes:
        log_scores: float (N, L), log probabilities or what ranks the classes.
        chosen: the value chosen on held-out pictures.
        held_out: every value tried -> its held-out top-1, percent.
    """

    log_scores: Tensor
    chosen: float
    held_out: dict[float, float]


class LinearProbe:
    """Logistic regressions between one training set and one test set.

    Features are centred and scaled by one number, so that C means the same for every network, and turned into their
    principal axes, which changes no result (`PrincipalBasis`).

    Args:
        train: the pictures to fit on.
        test: the pictures to answer for; looked at once, by the chosen classifier.
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

    def _fit(self, rows: np.ndarray, strengths: Sequence[float]):
        return fit_path(self._train[rows], self._labels[rows], self._num_classes, strengths)


def _tensor(features: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(features, dtype=np.float32))  # a copy: mapped features are read-only
