"""Saying why a file's trunk does not fit a model's, and what to change in the config."""

from collections.abc import Mapping

from torch import Tensor

from igdet.checkpoint.key_maps import is_counter, is_trunk
from igdet.modeling.trunk import family_of_tensors, kinds_of_trunks

_NAMES_SHOWN = 4


def explain_misfit(model: Mapping[str, Tensor], file: Mapping[str, Tensor]) -> str:
    """Compare two trunks that differ.

    Args:
        model: the model's tensors by bare name.
        file: the file's.

    Returns:
        what to change, then the tensors that are missing, too many, or of another shape.
    """
    model, file = _trunk(model), _trunk(file)
    missing = [name for name in model if name not in file]
    surplus = [name for name in file if name not in model]
    misshapen = [
        f"{name} {tuple(file[name].shape)} in the file, {tuple(model[name].shape)} in the model"
        for name in model
        if name in file and file[name].shape != model[name].shape
    ]
    details = {"not in the file": missing, "not in the model": surplus, "of another shape": misshapen}
    lines = [f"  {what}: {_shortened(names)}" for what, names in details.items() if names]
    return "\n".join([f"the trunk does not fit: {_advice(model, file, [*missing, *surplus])}", *lines])


def describe_trunk(tensors: Mapping[str, Tensor]) -> str:
    """Name a trunk by what can be seen in its tensors.

    Args:
        tensors: by bare name.

    Returns:
        such as "X_101_32x8d" or "R_50"; or which parts are absent.
    """
    family = family_of_tensors(tensors)
    if family is None:
        return f"no {kinds_of_trunks()} trunk"
    return family.describe(tensors) if family.marker in tensors else f"a trunk without {family.marker}"


def _trunk(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in tensors.items() if is_trunk(name) and not is_counter(name)}


def _advice(model: Mapping[str, Tensor], file: Mapping[str, Tensor], unmatched: list[str]) -> str:
    if not file:
        return f"the file holds no {kinds_of_trunks()} trunk. Is it the right file?"
    ours, theirs = describe_trunk(model), describe_trunk(file)
    if ours != theirs:
        return f"the file holds {theirs}, the model has {ours}. Set MODEL.BACKBONE.NAME to the file's network"
    family = family_of_tensors(model)
    if family and (special := family.explain_misfit(model, file, unmatched)):
        return special
    if not unmatched:
        return "the channels differ. Set MODEL.BACKBONE.NAME to the file's network"
    return "the file or the model lacks some tensors. Is the file complete?"


def _shortened(names: list[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
