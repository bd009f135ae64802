"""A checkpoint of any kind, opened: its tensors under one naming, and what it says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from detectron2.utils.file_io import PathManager
from torch import Tensor

from igdet.checkpoint.about import ABOUT
from igdet.checkpoint.catalog import WEIGHTS
from igdet.checkpoint.errors import UnreadableWeights, WeightsError
from igdet.checkpoint.key_maps import to_bare, with_statistics
from igdet.checkpoint.origin import Origin, recognise_origin
from igdet.checkpoint.reading import read_payload
from igdet.utils.spelling import did_you_mean

# Under which key files keep their tensors; a file without any of them is the mapping itself.
# Detectron2 and igdet; PyTorch's examples and timm; pycls; Caffe2's detection models.
WRAPPERS = ("model", "state_dict", "model_state", "blobs")


@dataclass(frozen=True)
class WeightsFile:
    """What a checkpoint holds.

    Attributes:
        path: where it was read.
        naming: as `key_maps.to_bare` gives it.
        tensors: by bare name, see `key_maps`.
        origin: what pictures the weights expect, None when unknown.
        class_names: what the classifier's rows stand for, None when unknown.
        mixture: keys of MODEL.MOE and their values where the trunk has experts and the file says how they are used.
        rest: whatever else the file holds, such as the state of a training.
    """

    path: Path
    naming: str
    tensors: dict[str, Tensor]
    origin: Origin | None
    class_names: list[str] | None
    mixture: dict[str, Any] | None
    rest: dict[str, Any]


def open_weights(path: str) -> WeightsFile:
    """Open a checkpoint of torchvision, timm, the hashtag weights, Detectron2 (its model zoo included) or igdet.

    Args:
        path: a file, or any name that Detectron2's PathManager knows, such as igdet://...

    Returns:
        its content.

    Raises:
        WeightsError: the file is not there, cannot be read safely, or is no checkpoint of such a model.
    """
    try:
        local = Path(PathManager.get_local_path(path)).expanduser()
        payload = read_payload(local)
    except OSError as error:
        meant = "" if Path(path).suffix else did_you_mean(path, WEIGHTS)  # names of the catalog have no ending
        raise UnreadableWeights(f"{path} cannot be opened: {error}{meant}") from error
    wrapper = next((key for key in WRAPPERS if isinstance(payload.get(key), Mapping)), None)
    tensors = payload if wrapper is None else payload.pop(wrapper)
    rest = {} if wrapper is None else payload
    author = tensors.pop("__author__", "") or rest.pop("__author__", "")
    try:
        naming, bare = to_bare(_without_wrapping_module(_as_tensors(tensors)))
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    about = rest.pop(ABOUT, {})
    try:
        stated = Origin(**about["origin"]) if about.get("origin") else None
        class_names = about.get("class_names")
        mixture = dict(about["mixture"]) if about.get("mixture") else None
    except (TypeError, ValueError, AttributeError) as error:
        raise WeightsError(f"{path}: its entry {ABOUT!r} is not as igdet writes it: {error}") from error
    origin = stated or recognise_origin(naming, author, bare)
    if origin is not None and origin.norm == "FrozenBN":
        bare = with_statistics(bare)
    return WeightsFile(local, naming, bare, origin, class_names, mixture, rest)


def _as_tensors(values: Mapping[str, Any]) -> dict[str, Tensor]:
    tensors = {name: torch.as_tensor(v) if _is_array(v) else v for name, v in values.items()}
    wrong = [name for name, value in tensors.items() if not (isinstance(name, str) and isinstance(value, Tensor))]
    if wrong:
        raise WeightsError(f"expected tensors by name, but {wrong[0]!r} is a {type(tensors[wrong[0]]).__name__}")
    if not tensors:
        raise WeightsError("there are no tensors in it")
    return tensors


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiub"  # numbers only


def _without_wrapping_module(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Undo the prefix that saving a (Distributed)DataParallel model leaves on every name."""
    prefix = "module."
    if all(name.startswith(prefix) for name in tensors):
        return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors
