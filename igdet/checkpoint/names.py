"""Names of tensors, brought to one form whatever a file calls them.

That form is the bare one of `igdet.modeling.trunk`: such as "res2.0.conv1.norm.weight" for a ResNet's trunk wherever it
sits in a model, "classifier.weight" and "classifier.bias", and every other tensor under its own name.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from igdet.modeling.trunk import CLASSIFIER, FAMILIES, bare_name

POOLING = "pooling."
BARE = "Detectron2"  # what reports call the naming of files that have bare names, or those of a model


def is_trunk(bare: str) -> bool:
    """Whether a bare name belongs to the trunk."""
    return any(family.has(bare) for family in FAMILIES)


def is_classifier(bare: str) -> bool:
    """Whether a bare name belongs to the classifier."""
    return bare.startswith(CLASSIFIER)


def is_pooling(bare: str) -> bool:
    """Whether a bare name belongs to a pooling that is not the mean, which the classifier needs in front of it."""
    return bare.startswith(POOLING)


def is_counter(name: str) -> bool:
    """Whether a tensor only counts the batches that a norm has seen: nothing is computed from it."""
    return name.endswith("num_batches_tracked")


def to_bare(tensors: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
    """Recognise the naming of a file's tensors and bring it to the bare form.

    Args:
        tensors: as the file names them.

    Returns:
        The naming, that of one of the families or "Detectron2", and the same tensors under bare names.

    Raises:
        WeightsError: a file of a family's naming holds something that none of its networks has.
    """
    for naming in (naming for family in FAMILIES for naming in family.namings):
        if naming.marker in tensors:
            return naming.name, naming.to_bare(tensors)
    return BARE, {bare_name(name): tensor for name, tensor in tensors.items()}


def with_statistics(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give norms that are folded into a scale and a shift the statistics that change nothing: mean 0, variance 1.

    Args:
        tensors: by bare name, without statistics.

    Returns:
        The tensors and the statistics.
    """
    scales = {name.removesuffix("weight"): value for name, value in tensors.items() if name.endswith(".norm.weight")}
    means = {f"{norm}running_mean": torch.zeros_like(scale) for norm, scale in scales.items()}
    variances = {f"{norm}running_var": torch.ones_like(scale) for norm, scale in scales.items()}
    return {**tensors, **means, **variances}
