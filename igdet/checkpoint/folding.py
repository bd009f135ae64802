"""Folding a linear probe's standardisation of features into its classifier, for models and formats that have none."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

NORM = "classifier.norm."  # of a StandardisedLinear
_EPS = nn.BatchNorm1d(1).eps


def folded_classifier(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Replace a standardising classifier by the plain one that gives the same logits.

    W (x - m) / s + b = (W / s) x + (b - (W / s) m), with s = sqrt(variance + eps).

    Args:
        tensors: by bare name: "classifier.weight" (L, C), "classifier.bias" (L,), and where the classifier standardises
            "classifier.norm.running_mean" and ".running_var", (C,).

    Returns:
        the tensors without these statistics, in the same dtypes; without statistics, the same tensors.
    """
    if f"{NORM}running_mean" not in tensors:
        return dict(tensors)
    weight, bias = tensors["classifier.weight"], tensors["classifier.bias"]
    mean, variance = (tensors[f"{NORM}running_{statistic}"].double() for statistic in ("mean", "var"))
    plain = weight.double() * torch.rsqrt(variance + _EPS)
    folded = {
        "classifier.weight": plain.to(weight.dtype),
        "classifier.bias": (bias.double() - plain @ mean).to(bias.dtype),
    }
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(NORM)} | folded
