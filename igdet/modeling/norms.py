"""Batch normalisation over groups of a fixed number of images, whatever the number of images on a GPU.

Shapes: N images, C channels, H x W positions, G groups.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from igdet.utils.yaml import ConfigError


class GhostBatchNorm(nn.BatchNorm2d):
    """Batch normalisation in which at most `norm_batch` images share their statistics.

    The paper's 336 GPUs each normalised over their own 24 images; the size is part of the recipe and regularises
    ("ghost batch normalisation", Hoffer et al. 2017, arXiv 1705.08741). A larger batch is split into as few groups as
    keep to it, of equal size but for one image, and what evaluation uses is the mean of the groups' statistics.

    Args:
        channels: C.
        norm_batch: most images in a group, >= 1.
    """

    running_mean: Tensor  # (C,): never without, as the momentum
    running_var: Tensor  # (C,)
    momentum: float

    def __init__(self, channels: int, norm_batch: int):
        super().__init__(channels)
        self.norm_batch = norm_batch

    def forward(self, features: Tensor) -> Tensor:
        """Normalise float (N, C, H, W)."""
        num_groups = -(-len(features) // self.norm_batch)  # rounded up
        if not self.training or num_groups <= 1:
            return super().forward(features)
        if self.num_batches_tracked is not None:  # as in PyTorch: nobody has to count
            self.num_batches_tracked.add_(1)
        means, variances = (stat.repeat(num_groups, 1) for stat in (self.running_mean, self.running_var))  # (G, C)
        # Each group moves a copy of the running statistics of its own, m_g = (1 - a) m + a mean_g; the mean of the
        # copies is the update that the mean of the groups' statistics would give.
        size, larger = divmod(len(features), num_groups)
        # `split`, whose backward pass puts the parts together once: `tensor_split`'s adds each to a map of zeros.
        groups = features.split([size + 1] * larger + [size] * (num_groups - larger))
        parts = [
            F.batch_norm(group, mean, variance, self.weight, self.bias, True, self.momentum, self.eps)
            for group, mean, variance in zip(groups, means, variances, strict=True)
        ]
        with torch.no_grad():  # by differences: a momentum of 0 leaves the statistics as they are, to the bit
            self.running_mean.add_((means - self.running_mean).mean(dim=0))
            self.running_var.add_((variances - self.running_var).mean(dim=0))
        return torch.cat(parts)

    def extra_repr(self) -> str:
        """As in PyTorch, with the size of a group."""
        return f"{super().extra_repr()}, norm_batch={self.norm_batch}"


def choose_norm(norm: str, norm_batch: int) -> str | Callable[[int], nn.Module]:
    """Choose the normalisation of a trunk.

    Args:
        norm: MODEL.RESNETS.NORM, any name that Detectron2's `get_norm` knows.
        norm_batch: MODEL.RESNETS.NORM_BATCH; 0: all images of a GPU's (micro-)batch share their statistics.

    Returns:
        What Detectron2's `get_norm` takes.

    Raises:
        ConfigError: groups are asked for of a normalisation that has none.
    """
    if not norm_batch:
        return norm
    if norm == "FrozenBN":  # statistics that are not computed cannot be grouped, and a transfer may inherit the key
        return norm
    if norm != "BN":
        raise ConfigError(
            f"MODEL.RESNETS.NORM_BATCH {norm_batch} groups the images of MODEL.RESNETS.NORM BN, but that is {norm}: "
            "set NORM_BATCH to 0, or NORM to BN"
        )
    return partial(GhostBatchNorm, norm_batch=norm_batch)
