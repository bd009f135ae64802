"""A checkpoint of any kind, opened: its tensors under one naming, and what it says of itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from detectron2.utils.file_io import PathManager
from torch import Tensor

from igdet.checkpoint.about import ABOUT
from igdet.checkpoint.catalog import PREFIX, WEIGHTS
from igdet.checkpoint.download import local_file
from igdet.checkpoint.errors import UnreadableWeights, WeightsError
from igdet.checkpoint.key_maps import to_bare, with_statistics
from igdet.checkpoint.origin import recognise_origin
from igdet.checkpoint.reading import read_payload
from igdet.checkpoint.unwrapping import as_tensors, find_tensors
from igdet.modeling.origin import Origin
from igdet.utils.shown import printable
from igdet.utils.spelling import did_you_mean


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
        path: a file, or any name that Detectron2's PathManager knows, such as igdet://...
        key: which of several copies of the weights is taken, such as "state_dict_ema"; "": those that were trained.

    Returns:
        its content.

    Raises:
        WeightsError: the file is not there, cannot be read safely, is no checkpoint of such a model, or a number in it
            is infinite or none.
    """
    try:
        local = local_file(path) if path.startswith(PREFIX) else Path(PathManager.get_local_path(path)).expanduser()
        payload = read_payload(local)
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
