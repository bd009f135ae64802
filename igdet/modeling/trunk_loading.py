"""A trunk that any checkpointer fills wholly or that raises: Detectron2's only warns of what a file does not hold."""

from typing import Any

from torch import nn

from igdet.modeling.trunk import BOTTOM_UP, trunk_in
from igdet.utils.errors import UserError


def guard_trunk(trunk: nn.Module) -> None:
    """Let a trunk take up that of a feature pyramid, and refuse to leave a part of it as it is.

    Args:
        trunk: changed in place.
    """
    accept_any_place(trunk)
    trunk._register_load_state_dict_pre_hook(_note_prefix, with_module=True)
    trunk.register_load_state_dict_post_hook(_refuse_gaps)


def accept_any_place(backbone: nn.Module) -> None:
    """Let a backbone take up trunks of classifiers and of feature pyramids alike.

    Args:
        backbone: a trunk, or a feature pyramid whose `bottom_up` is one; changed in place.
    """
    backbone._register_load_state_dict_pre_hook(_find_trunk, with_module=True)  # public only from PyTorch 2.5 on


def _find_trunk(backbone: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Rename "backbone.NAME" to "backbone.bottom_up.NAME" for a pyramid, and the other way for a plain trunk."""
    trunk = trunk_in(backbone)
    here, there = ("", BOTTOM_UP) if trunk is backbone else (BOTTOM_UP, "")
    roots = {name.split(".")[0] for name in trunk.state_dict()}
    for name in list(state):
        rest = name.removeprefix(prefix + there)
        if name.startswith(prefix + there) and rest.split(".")[0] in roots:
            state.setdefault(f"{prefix}{here}{rest}", state.pop(name))


def _note_prefix(trunk: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    trunk.name_in_model = prefix


def _refuse_gaps(trunk: nn.Module, incompatible: Any) -> None:
    missing = [
        name
        for name in incompatible.missing_keys
        if name.startswith(trunk.name_in_model) and not name.endswith("num_batches_tracked")
    ]
    if missing:
        needed = sum(not name.endswith("num_batches_tracked") for name in trunk.state_dict())
        raise UserError(
            f"{len(missing)} of the trunk's {needed} tensors would stay as they are, random in a new model: what is "
            f"loaded has no {missing[0]} of the right shape. Is MODEL.BACKBONE.NAME its network? A file under other "
            "names, such as torchvision's or timm's, is loaded as igdet://file/PATH"
        )
