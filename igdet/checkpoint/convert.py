"""Converting checkpoints to torchvision's, timm's and Detectron2's formats, bit for bit, and to ONNX."""

import pickle
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from igdet.checkpoint.fit import describe_trunk, folded_classifier
from igdet.checkpoint.names import is_classifier, is_pooling, is_trunk
from igdet.checkpoint.onnx_export import to_onnx, write_onnx
from igdet.checkpoint.origin import ABOUT, recognise_origin
from igdet.checkpoint.weights_file import WeightsFile, open_weights
from igdet.checkpoint.writing import write_checkpoint, write_safetensors
from igdet.formats.catalog import full_name
from igdet.formats.errors import WeightsError
from igdet.modeling.trunk import family_of_tensors, kinds_of_trunks


def convert_checkpoint(source: str, target: str | Path, to: str, key: str = "") -> str:
    """Convert a checkpoint of any kind that igdet loads.

    Args:
        source: as `inspect_weights` takes it.
        target: the file to write: its ending is one of the format's `writers`.
        to: a key of `TARGETS`.
        key: as `open_weights` takes it.

    Returns:
        What was written and what was left out, in a line.

    Raises:
        WeightsError: the file cannot be read or written, or the target format cannot hold what is in it.
    """
    return convert_opened(open_weights(full_name(source), key), target, to)


def convert_opened(file: WeightsFile, target: str | Path, to: str) -> str:
    """Convert a checkpoint that is open; otherwise as `convert_checkpoint`."""
    form = TARGETS[to]
    if Path(target).suffix not in form.writers:
        raise WeightsError(f"{target}: files in {to}'s format end in {' or '.join(form.writers)}")
    tensors = folded_classifier(file.tensors)
    kept = {name: tensor for name, tensor in tensors.items() if form.keeps(name)}
    if any(map(is_pooling, tensors)) and not any(map(is_pooling, kept)):
        # Elsewhere features are averaged, which this classifier was not trained on.
        kept = {name: tensor for name, tensor in kept.items() if not is_classifier(name)}
    if not any(map(is_trunk, kept)):
        raise WeightsError(f"{file.path}: it holds no {kinds_of_trunks()} trunk. Is it the right file?")
    form.writers[Path(target).suffix](form.content(kept, file), Path(target))
    left = [*(name for name in tensors if name not in kept), *dict.fromkeys([*file.rest, *file.others])]
    return f"{target}: {len(kept)} tensors; left out: {', '.join(left) or 'nothing'}"


@dataclass(frozen=True)
class ExportFormat:
    """A format to write.

    Attributes:
        keeps: whether it has a place for a tensor, by bare name.
        content: makes what is written, from the tensors that are kept and the file they come from.
        writers: ending of the file -> what writes that, whole or not at all.
    """

    keeps: Callable[[str], bool]
    content: Callable[[dict[str, Tensor], WeightsFile], Any]
    writers: Mapping[str, Callable[[Any, Path], None]]


def _as_published(form: str, tensors: dict[str, Tensor], file: WeightsFile) -> dict[str, Tensor]:
    """Under the names that others publish such trunks with."""
    family = family_of_tensors(tensors)
    exports = family.exports if family else {}
    if form not in exports:
        raise WeightsError(
            f"{file.path}: {form} has no names for {describe_trunk(tensors)}; "
            f"its formats are {', '.join([*exports, *_ANY_TRUNK])}"
        )
    claimed = recognise_origin(form, "", tensors)
    if claimed is not None and file.origin not in (None, claimed):
        raise WeightsError(
            f"{file.path}: these weights expect {file.origin}, and a file in {form}'s format would claim {claimed}"
        )
    return exports[form](_with_counters(tensors))


def _with_counters(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give batch norms the counters that frozen ones do not have, without which strict loading fails."""
    wanted = (name.replace("running_mean", "num_batches_tracked") for name in tensors if name.endswith("running_mean"))
    return {**tensors, **{name: torch.tensor(0) for name in wanted if name not in tensors}}


def _for_detectron2(tensors: dict[str, Tensor], file: WeightsFile) -> dict[str, Any]:
    """What Detectron2's own checkpointer reads, matching names by their ends; it passes over igdet's entry."""
    origin = asdict(file.origin) if file.origin else None
    return {
        "model": {name: _as_array(tensor) for name, tensor in tensors.items()},
        "__author__": "igdet",
        "matching_heuristics": True,
        ABOUT: {"origin": origin, "class_names": file.class_names, "mixture": file.mixture},
    }


def _as_array(tensor: Tensor) -> np.ndarray:
    """NumPy has no bfloat16, but float32 holds each of its values."""
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).contiguous().numpy()


def _in_a_classifier(name: str) -> bool:
    return is_trunk(name) or is_classifier(name)


_ANY_TRUNK = {
    "detectron2": ExportFormat(
        lambda name: True, _for_detectron2, {".pkl": partial(write_checkpoint, dump=pickle.dump)}
    ),
    "onnx": ExportFormat(_in_a_classifier, to_onnx, {".onnx": write_onnx}),
}
_TENSORS_BY_NAME: dict[str, Callable[[Any, Path], None]] = {".pth": write_checkpoint, ".safetensors": write_safetensors}
TARGETS = {
    **{
        form: ExportFormat(_in_a_classifier, partial(_as_published, form), _TENSORS_BY_NAME)
        for form in ("torchvision", "timm")
    },
    **_ANY_TRUNK,
}
