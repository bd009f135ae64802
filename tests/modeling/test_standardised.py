"""The standardising linear layer: what it computes, what its statistics are, and where SGD on it arrives."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn import functional as F

from igdet.modeling.classifier import StandardisedLinear


def test_training_standardises_each_channel_of_the_batch():
    layer = StandardisedLinear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 10.0]]))
        layer.bias.fill_(0.5)
    # Means 2 and 30, deviations 1 and 10: the rows are (-1, -1) and (1, 1).
    found = layer(torch.tensor([[1.0, 20.0], [3.0, 40.0]]))
    torch.testing.assert_close(found, torch.tensor([[-10.5], [11.5]]), atol=1e-3, rtol=0)


def test_evaluation_uses_the_average_of_all_batches():
    layer = StandardisedLinear(1, 1)
    for batch in ([0.0, 2.0], [4.0, 6.0], [8.0, 10.0]):  # means 1, 5, 9; each of variance 2
        layer(torch.tensor(batch)[:, None])
    assert layer.norm.running_mean.item() == pytest.approx(5)
    assert layer.norm.running_var.item() == pytest.approx(2)


def features(seed: int, count: int = 600, channels: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    """Three classes; a large common mean and deviations from 0.01 to 1, as pooled features have them."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, count)
    centres = np.random.default_rng(9).normal(size=(3, channels))
    spread = np.logspace(-2, 0, channels)
    points = 3 + spread * (0.4 * centres[labels] + generator.normal(size=(count, channels)))
    return torch.from_numpy(points).float(), torch.from_numpy(labels)


def trained(layer: nn.Linear, points: torch.Tensor, labels: torch.Tensor, steps: int = 300) -> nn.Linear:
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(layer(points), labels).backward()
        optimizer.step()
    return layer.eval()


def test_sgd_arrives_where_logistic_regression_does():
    """At scikit-learn's minimum of the same loss; a plain layer with the same schedule is still far from it."""
    torch.manual_seed(0)
    points, labels = features(seed=0)
    standardised = ((points - points.mean(0)) / points.std(0, correction=0)).numpy()
    reference = LogisticRegression(C=1e6, tol=1e-8, max_iter=10_000).fit(standardised, labels.numpy())
    minimum = F.nll_loss(torch.from_numpy(reference.predict_log_proba(standardised)), labels).item()

    losses = {}
    for kind in (StandardisedLinear, nn.Linear):
        layer = trained(kind(points.shape[1], 3), points, labels)
        losses[kind] = F.cross_entropy(layer(points), labels).item()
    assert losses[StandardisedLinear] == pytest.approx(minimum, rel=0.01)
    assert losses[nn.Linear] > 1.2 * minimum
