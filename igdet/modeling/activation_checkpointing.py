"""Activation checkpointing of residual networks: a block's activations are computed again when they are needed."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from detectron2.modeling import ResNet
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


class CheckpointedStage(nn.Sequential):
    """Blocks one after the other, of which the backward pass finds only the inputs and computes the rest again.

    "Training Deep Nets with Sublinear Memory Cost" (arXiv 1604.06174): one more forward pass for the memory. Its
    parameters have the names that they have in a plain `nn.Sequential`.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Run the blocks on float (N, C, H, W)."""
        if not (self.training and torch.is_grad_enabled()):
            return super().forward(features)
        for block in self:
            features = _checkpointed(block, features)
        return features


def checkpoint_activations(model: nn.Module) -> None:
    """Make every stage of the ResNets in a model a `CheckpointedStage`, in place.

    Args:
        model: a classifier or detector; other backbones are left as they are.
    """
    for resnet in model.modules():
        if isinstance(resnet, ResNet):
            resnet.stages = [CheckpointedStage(*stage) for stage in resnet.stages]
            for name, stage in zip(resnet.stage_names, resnet.stages, strict=True):
                setattr(resnet, name, stage)


def _checkpointed(block: nn.Module, features: Tensor) -> Tensor:
    if torch.compiler.is_compiling():  # a compiled graph updates its statistics once and takes no context
        return checkpoint(block, features, use_reentrant=False)
    return checkpoint(
        block, features, use_reentrant=False, context_fn=lambda: (nullcontext(), _fixed_statistics(block))
    )


@contextmanager
def _fixed_statistics(block: nn.Module) -> Iterator[None]:
    """Let the second pass over a batch leave the running statistics alone: they have seen it."""
    norms = [module for module in block.modules() if isinstance(module, _BatchNorm)]
    kept = [(norm, norm.momentum, norm.num_batches_tracked) for norm in norms]
    try:
        for norm in norms:
            norm.momentum, norm.num_batches_tracked = 0.0, None
        yield
    finally:
        for norm, momentum, count in kept:
            norm.momentum, norm.num_batches_tracked = momentum, count
