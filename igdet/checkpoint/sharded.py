"""Weights that are spread over ranks: whole in files, in pieces in memory, so that any number of ranks can go on."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor


def whole(state: Any, keep: bool = True) -> Any:
    """Gather tensors that are in pieces; called on all ranks together if there are any.

    Args:
        state: nested containers, plain values and tensors.
        keep: whether this rank needs the result: others lend their pieces and get None for them.

    Returns:
        The same, with whole tensors on the CPU in the place of those in pieces, one after the other.
    """
    if isinstance(state, Mapping):
        return {key: whole(value, keep) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(whole(value, keep) for value in state)
    if is_piece(state):
        gathered = state.full_tensor()
        return gathered.cpu() if keep else None
    return state


def in_pieces(tensors: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Cut whole tensors as those of the same names are; called on all ranks together if there are any in pieces.

    Args:
        tensors: whole; those of rank 0 are what all ranks get.
        like: tensors of the same shapes, at least of these names.
    """
    return {name: _as_piece(tensor, like[name]) for name, tensor in tensors.items()}


def optimizer_in_pieces(state: Mapping[str, Any], optimizer: torch.optim.Optimizer) -> Mapping[str, Any]:
    """Cut an optimizer's whole state as its parameters are; called on all ranks together if there are any in pieces.

    Args:
        state: its `state_dict`, made whole; its numbers of parameters follow the order of the groups.
        optimizer: of the same parameters.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    cut = {
        number: {key: _as_piece(value, parameters[number]) for key, value in values.items()}
        for number, values in state["state"].items()
    }
    return {**state, "state": cut}


def local_part(tensor: Tensor) -> Tensor:
    """What this rank holds of a tensor."""
    return tensor.to_local() if is_piece(tensor) else tensor


def is_piece(value: Any) -> TypeGuard["DTensor"]:
    """Whether this rank holds a part of something whole: a DTensor, which PyTorch 2.4 has under a private name only."""
    return hasattr(value, "full_tensor")


def _as_piece(value: Any, like: Tensor) -> Any:
    """Momentum has its weight's shape; what has another, such as a number of steps, every rank keeps whole."""
    if not is_piece(like) or not isinstance(value, Tensor) or value.shape != like.shape:
        return value
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(value.to(like.device, like.dtype).contiguous(), like.device_mesh, like.placements)
