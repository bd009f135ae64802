"""Saying why a file's trunk does not fit a model's, and what to change in the config."""

import re
from collections.abc import Mapping

from torch import Tensor

from igdet.checkpoint.key_maps import is_counter, is_trunk

_STAGES = ("res2", "res3", "res4", "res5")
_NAMES_SHOWN = 4
# Of a trunk's first block, plain or a mixture of experts: its grouped convolution, and all that an image goes through.
_GROUPED = ("res2.0.conv2.weight", "res2.0.experts.here.0.0.weight")
_CONVOLUTION = re.compile(r"res2\.0\.(conv|experts\.here\.0\.)\d\.weight")


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
        such as "X_101_32x8d" (layers, groups, width) or "R_50"; or which parts are absent.
    """
    blocks = {stage: _num_blocks(tensors, stage) for stage in _STAGES}
    absent = [stage for stage, number in blocks.items() if number == 0]
    weight = next((tensors[name] for name in _GROUPED if name in tensors), None)
    if absent or weight is None:
        return f"a trunk without {', '.join(absent or ['res2.0.conv2.weight'])}"
    convolutions = sum(_CONVOLUTION.fullmatch(name) is not None for name in tensors)
    layers = convolutions * sum(blocks.values()) + 2  # and the stem and the classifier
    width = weight.shape[1]  # (groups * width, width, 3, 3)
    groups = weight.shape[0] // width
    return f"R_{layers}" if groups == 1 else f"X_{layers}_{groups}x{width}d"


def _trunk(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in tensors.items() if is_trunk(name) and not is_counter(name)}


def _num_blocks(tensors: Mapping[str, Tensor], stage: str) -> int:
    return 1 + max((int(name.split(".")[1]) for name in tensors if name.startswith(f"{stage}.")), default=-1)


def _advice(model: Mapping[str, Tensor], file: Mapping[str, Tensor], unmatched: list[str]) -> str:
    if not file:
        return "the file holds no ResNet or ResNeXt trunk. Is it the right file?"
    ours, theirs = describe_trunk(model), describe_trunk(file)
    if ours != theirs:
        return f"the file holds {theirs}, the model has {ours}. Set MODEL.BACKBONE.NAME to the file's network"
    if unmatched and all(".norm." in name for name in unmatched):
        return "the norms differ. Set MODEL.RESNETS.NORM to what the weights were trained with"
    ours, theirs = _mixtures(model), _mixtures(file)
    if ours != theirs:
        return (
            f"the file's mixtures of experts are {theirs}, the model's {ours}. "
            "Set MODEL.MOE.EXPERTS, STAGES and EVERY to what the file was trained with"
        )
    if not unmatched:
        return "the channels differ. Set MODEL.BACKBONE.NAME to the file's network"
    return "the file or the model lacks some tensors. Is the file complete?"


def _mixtures(tensors: Mapping[str, Tensor]) -> str:
    routers = {name: tensor for name, tensor in tensors.items() if name.endswith(".router.scores.weight")}
    blocks = [f"{name.removesuffix('.router.scores.weight')} of {len(tensor)}" for name, tensor in routers.items()]
    return ", ".join(blocks) or "none"


def _shortened(names: list[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
