"""How a network is run, which changes its speed and memory but not what it computes."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from detectron2.config import CfgNode
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from igdet.modeling.roi_align import use_sparse_roi_align
from igdet.modeling.trunk import blocks_in
from igdet.utils.versions import too_old
from igdet.utils.yaml import ConfigError


class _Checkpointed(nn.Module):
    """What is put before a block's class: the backward pass finds only its inputs and computes the rest again.

    "Training Deep Nets with Sublinear Memory Cost" (arXiv 1604.06174): one more forward pass for the memory. The names
    of parameters stay, for the block is the same object.
    """

    def forward(self, *inputs: Tensor, **named: Any) -> Any:
        """Run the block."""
        run = partial(super().forward, **named)
        inputs = tuple([*entry] if isinstance(entry, list) else entry for entry in inputs)  # DenseNets let theirs grow
        if not (self.training and torch.is_grad_enabled()):
            return run(*inputs)
        if torch.compiler.is_compiling():  # a compiled graph updates its statistics once and takes no context
            return checkpoint(run, *inputs, use_reentrant=False)
        return checkpoint(
            run, *inputs, use_reentrant=False, context_fn=lambda: (nullcontext(), _fixed_statistics(self))
        )


def checkpoint_activations(model: nn.Module) -> None:
    """Let every block of the trunks in a model keep its inputs alone, in place.

    Args:
        model: a classifier or detector; backbones of others than igdet's families are left as they are.
    """
    for block in blocks_in(model):
        kind = type(block)
        block.__class__ = type(f"Checkpointed{kind.__name__}", (_Checkpointed, kind), {})


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


def apply_execution(model: nn.Module, cfg: CfgNode) -> None:
    """Change, in place, how a model is run; the names of its parameters stay.

    Args:
        model: what Detectron2's `build_model` returns: its trunk is `backbone`.
        cfg: with MODEL.CHANNELS_LAST, MODEL.COMPILE and MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS.
    """
    use_sparse_roi_align(model)
    # The trunk alone, where the time goes: Detectron2's heads count on channels-first maps, and around the trunk are
    # lists of samples and boxes whose number changes every step, nothing to compile.
    if cfg.MODEL.CHANNELS_LAST:
        model.get_submodule("backbone").to(memory_format=torch.channels_last)
    if cfg.MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS:
        checkpoint_activations(model.get_submodule("backbone"))
    if cfg.MODEL.COMPILE:
        model.get_submodule("backbone").compile()


def check_execution(cfg: CfgNode) -> None:
    """Refuse ways of running a network that compute something else with this PyTorch.

    Raises:
        ConfigError: naming the keys and both versions.
    """
    both = cfg.MODEL.COMPILE and cfg.MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS
    if both and (reason := too_old("MODEL.COMPILE with MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS")):
        raise ConfigError(reason)
