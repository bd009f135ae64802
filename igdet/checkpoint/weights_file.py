"""A checkpoint of any kind, opened: its tensors, however wrapped, under one naming, and what it says of itself."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from detectron2.utils.file_io import PathManager
from torch import Tensor

from igdet.checkpoint.library_weights import is_of_library, library_payload
from igdet.checkpoint.locating import NAMES, local_file
from igdet.checkpoint.names import to_bare, with_statistics
from igdet.checkpoint.origin import ABOUT, recognise_origin
from igdet.checkpoint.reading import read_payload
from igdet.checkpoint.unpickling import Array
from igdet.checkpoint.weights_index import is_index, read_shards
from igdet.formats.catalog import WEIGHTS
from igdet.formats.errors import UnreadableWeights, WeightsError
from igdet.formats.origin import Origin
from igdet.modeling.trunk import FAMILIES
from igdet.utils.messages import did_you_mean, printable, shown

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
        The copy, and the keys of all others.

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
    """What comes before the names of each trunk in there, "" where nothing does."""
    own = [f"{place}{family.marker}" for family in FAMILIES for place in (*family.places, "")]
    ends = [*own, *(naming.marker for family in FAMILIES for naming in family.namings)]
    found: dict = {}
    for name in tensors:
        end = next((end for end in ends if isinstance(name, str) and (name == end or name.endswith(f".{end}"))), None)
        if end is not None:
            found[name.removesuffix(end)] = None
    # A trunk that holds a network of another library's names is one trunk, not two.
    roots = [place + root for family in FAMILIES for place in (*family.places, "") for root in family.roots]
    inside = {f"{prefix}{root}." for prefix in found for root in roots}
    return [prefix for prefix in found if prefix not in inside]


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
        Tensors by name.

    Raises:
        WeightsError: an entry is something else, or there is none.
    """
    tensors = {name: torch.as_tensor(value) if _is_array(value) else value for name, value in values.items()}
    wrong = [name for name, value in tensors.items() if not (isinstance(name, str) and isinstance(value, Tensor))]
    if wrong:
        raise WeightsError(f"expected tensors by name, but {shown(wrong[0])} is of type {_kind(tensors[wrong[0]])}")
    if not tensors:
        raise WeightsError("there are no tensors in it")
    return tensors


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiub" and not getattr(value, "unusable", None)


def _kind(value: Any) -> str:
    return f"ndarray of {shown(value.unusable or value.dtype)}" if isinstance(value, Array) else type(value).__name__


@dataclass(frozen=True)
class WeightsFile:
    """What a checkpoint holds.

    Attributes:
        path: where it was read.
        naming: as `key_maps.to_bare` returns it.
        tensors: by bare name, see `key_maps`.
        origin: what images the weights expect, None when unknown.
        class_names: what the classifier's rows stand for, None when unknown.
        mixture: keys of MODEL.MOE and their values where the trunk has experts and the file says how they are used.
        rest: whatever else the file holds, such as the state of a training.
        key: where in the file the tensors are, such as "state_dict_ema"; "" at its top.
        others: where further copies of such tensors are, such as averages of these.
    """

    path: Path
    naming: str
    tensors: dict[str, Tensor]
    origin: Origin | None
    class_names: list[str] | None
    mixture: dict[str, Any] | None
    rest: dict[str, Any]
    key: str = ""
    others: tuple[str, ...] = ()

    def said_of_copies(self) -> str:
        """Which copy of the weights this is, and which there are besides."""
        others = f", not {', '.join(self.others)}: MODEL.WEIGHTS_KEY or --key chooses" if self.others else ""
        return printable(f"those under {self.key or 'no key'}{others}")


def open_weights(path: str, key: str = "") -> WeightsFile:
    """Open a checkpoint of torchvision, timm, the hashtag weights, Detectron2 (its model zoo included) or igdet.

    Args:
        path: a file, any name that Detectron2's PathManager knows, such as igdet://... or hf://..., or timm://NAME or
            torchvision://NAME; of
            several files their index.
        key: which of several copies of the weights is taken, such as "state_dict_ema"; "": those that were trained.

    Returns:
        Its content.

    Raises:
        WeightsError: the file is not there, cannot be read safely, is no checkpoint of such a model, or a number in it
            is infinite or none.
    """
    if is_of_library(path):
        return _opened(Path(path), library_payload(path), key)
    try:
        local = local_file(path) if path.startswith(NAMES) else Path(PathManager.get_local_path(path)).expanduser()
        payload = read_shards(local) if is_index(local) else read_payload(local)
    except OSError as error:
        meant = "" if Path(path).suffix else did_you_mean(path, WEIGHTS)  # names of the catalog have no ending
        raise UnreadableWeights(f"{path} cannot be opened: {error}{meant}") from error
    try:
        return _opened(local, payload, key)
    except WeightsError as error:
        raise type(error)(f"{path}: {error}") from error


def _opened(local: Path, payload: dict[str, Any], key: str) -> WeightsFile:
    copy, others = find_tensors(payload, key)
    rest = {name: value for name, value in payload.items() if name != copy.top} if copy.top else {}
    author = copy.tensors.pop("__author__", "") or rest.pop("__author__", "")
    tensors = as_tensors(copy.tensors)
    _check_finite(tensors)
    naming, bare = to_bare(tensors)
    about = rest.pop(ABOUT, {})
    try:
        stated = Origin(**about["origin"]) if about.get("origin") else None
        class_names = about.get("class_names")
        mixture = dict(about["mixture"]) if about.get("mixture") else None
    except (TypeError, ValueError, AttributeError) as error:
        raise WeightsError(f"its entry {ABOUT!r} is not as igdet writes it: {error}") from error
    origin = stated or recognise_origin(naming, author, bare)
    if origin is not None and origin.norm == "FrozenBN":
        bare = with_statistics(bare)
    return WeightsFile(local, naming, bare, origin, class_names, mixture, rest, copy.key, tuple(others))


def _check_finite(tensors: dict[str, Tensor]) -> None:
    """A file that was damaged, or written by a diverged training, must not look like a training that diverges now."""
    wrong = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
    if wrong:
        first, more = tensors[wrong[0]], f", and some of {len(wrong) - 1} more tensors" if wrong[1:] else ""
        raise UnreadableWeights(
            f"{int((~torch.isfinite(first)).sum()):,} of the {first.numel():,} numbers of {wrong[0]} are NaN or "
            f"infinite{more}: the file is damaged, or comes from a training that diverged. Take another checkpoint"
        )
