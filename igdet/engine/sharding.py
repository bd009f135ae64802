"""How a model is shared by the processes of a run: whole on each of them, or spread over all (PyTorch's FSDP2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch
from detectron2.config import CfgNode
from detectron2.engine import create_ddp_model
from detectron2.utils import comm
from torch import distributed, nn

from igdet.modeling.trunk import blocks_in
from igdet.utils.versions import too_old
from igdet.utils.yaml import ConfigError


def check_sharding(cfg: CfgNode) -> None:
    """Refuse SOLVER.FSDP where PyTorch is too old for it, or with what does not go with it.

    Raises:
        ConfigError: naming both versions, or both keys.
    """
    if cfg.SOLVER.FSDP and cfg.SOLVER.EMA_HALF_LIFE:
        raise ConfigError("SOLVER.EMA_HALF_LIFE averages whole weights, SOLVER.FSDP holds pieces: set one of them to 0")
    if cfg.SOLVER.FSDP and (reason := too_old("SOLVER.FSDP")):
        raise ConfigError(reason)


def share_model(model: nn.Module, fsdp: bool) -> nn.Module:
    """Prepare a model for training by all processes; its weights become those of rank 0.

    Batch norm statistics stay each process's own, as in Detectron2.

    Args:
        model: on its device.
        fsdp: whether to spread it over the processes.

    Returns:
        The model itself where it is spread or there is one process, else wrapped.
    """
    if comm.get_world_size() == 1:
        return model
    if fsdp:
        return _spread(model)
    device = next(model.parameters()).device
    return create_ddp_model(model, broadcast_buffers=False, device_ids=[device] if device.type == "cuda" else None)


@contextmanager
def whole_weights(model: nn.Module) -> Iterator[None]:
    """Let every process hold all weights meanwhile, so that each may call the model as often as it needs.

    Args:
        model: shared in any way; only one that is spread is changed.
    """
    parts: list[Any] = [module for module in model.modules() if hasattr(module, "set_reshard_after_forward")]
    for part in parts:
        part.set_reshard_after_forward(False, recurse=False)
        part.unshard()
    try:
        yield
    finally:
        for part in parts:
            part.set_reshard_after_forward(True, recurse=False)
            part.reshard()


@torch.no_grad()
def _spread(model: nn.Module) -> nn.Module:
    """Spread each block, and what is outside of blocks, over all processes; a block is gathered while it computes.

    Mixed precision stays autocast's: the policy of FSDP2 would turn the weights of batch norm into bfloat16 as well,
    which do not go with statistics in float32.
    """
    from torch.distributed.fsdp import fully_shard  # not in all versions of PyTorch that igdet runs on

    for tensor in chain(model.parameters(), model.buffers()):
        distributed.broadcast(tensor, src=0)
    _make_contiguous(model)
    device = next(model.parameters()).device.type
    mesh = distributed.device_mesh.init_device_mesh(device, (comm.get_world_size(),))
    for module in (*blocks_in(model), model):
        # The whole model too: between two steps each process then holds pieces only.
        fully_shard(module, mesh=mesh, reshard_after_forward=True)
    return model


def _make_contiguous(model: nn.Module) -> None:
    """FSDP2 takes no channels-last weights; a channels-last input keeps the trunk's convolutions channels-last."""
    channels_last = [p for p in model.parameters() if p.dim() == 4 and not p.is_contiguous()]
    for parameter in channels_last:
        parameter.data = parameter.data.contiguous()
    if channels_last:
        model.get_submodule("backbone").register_forward_pre_hook(
            lambda _, inputs: tuple(x.contiguous(memory_format=torch.channels_last) for x in inputs)
        )
