"""Finding a network's tensors in a checkpoint, however they are wrapped, and choosing between copies of them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from igdet.checkpoint.errors import WeightsError
from igdet.checkpoint.unpickling import Array
from igdet.modeling.trunk import FAMILIES
from igdet.utils.shown import printable, shown

# What saving a wrapped model leaves in its names, at the front or between them: torch.compile; DataParallel and
# AveragedModel; FSDP; activation checkpointing; DeepSpeed.
_WRAPPERS = re.compile(r"(?<![^.])(_orig_mod|module|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module)\.")
# Of several copies the first of these is taken: Detectron2, igdet and torchvision; PyTorch's examples, timm and
# Lightning; pycls; Caffe2's detection models; then the copies that are averages or a pair's slow half.
PREFERRED = ("model", "state_dict", "model_state", "model_state_dict", "blobs", "net", "network", "weights", "params")
_AVERAGES = re.compile(r"(^|[._])(ema|average|averaged|swa|teacher|target|momentum|encoder_k|key)([._]|$)|_ema|ema_")
_MAX_DEPTH = 6  # VISSL's lie under classy_state_dict.base_model.model.trunk
_NAMES_SHOWN = 8


class Copy(NamedTuple):
    """A network's tensors in a checkpoint.

    Attributes:
        key: where they are, such as "state_dict_ema", or "state_dict.encoder_q" where names begin so; "" at the top.
        top: the checkpoint's own key on the way there, "" where it has none.
        tensors: by name, wrappers undone.
    """

    key: str
    top: str
    tensors: dict[str, Any]


def find_tensors(payload: dict[str, Any], chosen: str = "") -> tuple[Copy, list[str]]:
    """Find the tensors of a network in what a checkpoint holds.

    Args:
        payload: nested mappings.
        chosen: the `key` or `top` of the copy to take; "": the one that was trained, if there are several, and not its
            average.

    Returns:
        the copy, and the keys of all others.

    Raises:
        WeightsError: there is no such copy.
    """
    copies = sorted(_copies(payload), key=_rank) or [_without_trunk(payload)]
    fitting = [copy for copy in copies if not chosen or chosen in (copy.key, copy.top)]
    if not fitting:
        there = ", ".join(printable(copy.key) or "'', its top" for copy in copies[:_NAMES_SHOWN])
        raise WeightsError(f"no weights lie under {shown(chosen)}, but under {there}: set MODEL.WEIGHTS_KEY, or --key")
    return fitting[0], [copy.key for copy in copies if copy is not fitting[0]]


def _without_trunk(payload: dict[str, Any]) -> Copy:
    wrapper = next((key for key in PREFERRED if isinstance(payload.get(key), Mapping)), "")
    return Copy(wrapper, wrapper, _unwrapped(payload[wrapper] if wrapper else payload))


def _rank(copy: Copy) -> tuple[bool, int]:
    """Trained before averaged, then in the order of `PREFERRED`."""
    place = PREFERRED.index(copy.top) if copy.top in PREFERRED else len(PREFERRED)
    return _AVERAGES.search(copy.key) is not None, place


def _copies(payload: dict[str, Any]) -> Iterator[Copy]:
    for path, values in _mappings(payload, ()):
        unwrapped = _unwrapped(values)
        prefixes = _prefixes(unwrapped)
        for prefix in prefixes:
            others = tuple(other for other in prefixes if not prefix.startswith(other))
            key = ".".join([*path, prefix.rstrip(".")]).strip(".")
            yield Copy(key, path[0] if path else "", _bared(unwrapped, prefix, others))


def _mappings(value: Mapping, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping]]:
    """All mappings in nested ones that name a tensor themselves."""
    if any(isinstance(entry, Tensor | np.ndarray) for entry in value.values()):
        yield path, value
    elif len(path) < _MAX_DEPTH:
        for key, inner in value.items():
            if isinstance(key, str) and isinstance(inner, Mapping):
                yield from _mappings(inner, (*path, key))


def _unwrapped(values: Mapping[str, Any]) -> dict[str, Any]:
    return {_WRAPPERS.sub("", name) if isinstance(name, str) else name: value for name, value in values.items()}


def _prefixes(tensors: Mapping[str, Any]) -> list[str]:
    """What stands before the names of each trunk in there, "" where nothing does."""
    own = [f"{place}{family.marker}" for family in FAMILIES for place in (*family.places, "")]
    ends = [*own, *(naming.marker for family in FAMILIES for naming in family.namings)]
    found = {}
    for name in tensors:
        end = next((end for end in ends if isinstance(name, str) and (name == end or name.endswith(f".{end}"))), None)
        if end is not None:
            found[name.removesuffix(end)] = None
    return list(found)


def _bared(tensors: Mapping[str, Any], prefix: str, others: tuple[str, ...]) -> dict[str, Any]:
    """Take a prefix off the names that have it, and leave out what belongs to the other copies."""
    own = {name: value for name, value in tensors.items() if not _begins(name, others)}
    inside = {name.removeprefix(prefix): value for name, value in own.items() if _begins(name, prefix)}
    return {name: value for name, value in own.items() if not _begins(name, prefix)} | inside


def _begins(name: object, prefixes: str | tuple[str, ...]) -> bool:
    return isinstance(name, str) and name.startswith(prefixes)  # what is no text is refused later, by `as_tensors`


def as_tensors(values: Mapping[str, Any]) -> dict[str, Tensor]:
    """Turn arrays of numbers into tensors, and refuse what is no mapping from names to these.

    Args:
        values: tensors and arrays by name.

    Returns:
        tensors by name.

    Raises:
        WeightsError: an entry is something else, or there is none.
    """
    tensors = {name: torch.as_tensor(value) if _is_array(value) else value for name, value in values.items()}
    wrong = [name for name, value in tensors.items() if not (isinstance(name, str) and isinstance(value, Tensor))]
    if wrong:
        raise WeightsError(f"expected tensors by name, but {shown(wrong[0])} is a {_kind(tensors[wrong[0]])}")
    if not tensors:
        raise WeightsError("there are no tensors in it")
    return tensors


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiub" and not getattr(value, "unusable", None)


def _kind(value: Any) -> str:
    return f"ndarray of {shown(value.unusable or value.dtype)}" if isinstance(value, Array) else type(value).__name__
