"""Converting checkpoints between torchvision's and Detectron2's formats, classifier included, bit for bit."""

import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from igdet.checkpoint.about import ABOUT
from igdet.checkpoint.errors import WeightsError
from igdet.checkpoint.key_maps import is_classifier, is_trunk, to_torchvision
from igdet.checkpoint.origin import TORCHVISION
from igdet.checkpoint.weights_file import WeightsFile, open_weights
from igdet.checkpoint.writing import write_checkpoint


def convert_checkpoint(source: str, target: str | Path, to: str) -> str:
    """Convert a checkpoint of any kind that igdet loads.

    Args:
        source: a file, or any name that Detectron2's PathManager knows, such as igdet://...
        target: the file to write: `.pkl` for Detectron2, `.pth` for torchvision.
        to: a key of `TARGETS`.

    Returns:
        what was written and what was left out, in a line.

    Raises:
        WeightsError: the file cannot be read or written, or the target format cannot hold what is in it.
    """
    form = TARGETS[to]
    if Path(target).suffix != form.suffix:
        raise WeightsError(f"{target}: files in {to}'s format end in {form.suffix}")
    file = open_weights(source)
    kept = {name: tensor for name, tensor in file.tensors.items() if form.keeps(name)}
    write_checkpoint(form.content(kept, file), target, form.dump)
    left = [*(name for name in file.tensors if name not in kept), *file.rest]
    return f"{target}: {len(kept)} tensors; left out: {', '.join(left) or 'nothing'}"


@dataclass(frozen=True)
class Target:
    """A format to write.

    Attributes:
        suffix: how its files end.
        keeps: whether it has a place for a tensor, by bare name.
        content: makes what is written, from the tensors that are kept and the file they come from.
        dump: writes that to an open file.
    """

    suffix: str
    keeps: Callable[[str], bool]
    content: Callable[[dict[str, Tensor], WeightsFile], dict[str, Any]]
    dump: Callable[[Any, IO], None]


def _for_torchvision(tensors: dict[str, Tensor], file: WeightsFile) -> dict[str, Tensor]:
    if file.origin not in (None, TORCHVISION):
        raise WeightsError(
            f"{file.path}: these weights expect {file.origin}, and a file in torchvision's format would claim "
            f"{TORCHVISION}"
        )
    return to_torchvision(tensors)


def _for_detectron2(tensors: dict[str, Tensor], file: WeightsFile) -> dict[str, Any]:
    """What Detectron2's own checkpointer reads, matching names by their ends; it passes over igdet's entry."""
    origin = asdict(file.origin) if file.origin else None
    return {
        "model": {name: tensor.contiguous().numpy() for name, tensor in tensors.items()},
        "__author__": "igdet",
        "matching_heuristics": True,
        ABOUT: {"origin": origin, "class_names": file.class_names},
    }


TARGETS = {
    "torchvision": Target(".pth", lambda name: is_trunk(name) or is_classifier(name), _for_torchvision, torch.save),
    "detectron2": Target(".pkl", lambda name: True, _for_detectron2, pickle.dump),
}
