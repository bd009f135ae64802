"""Names of tensors: torchvision's, Caffe2's and Detectron2's, brought to one form and back.

That form is Detectron2's bare one: "stem.conv1.weight", "res2.0.conv1.norm.weight" for the trunk wherever it sits in a
model, "classifier.weight" and "classifier.bias", and every other tensor under its own name.
"""

import re
from collections.abc import Callable, Iterable, Mapping

import torch
from detectron2.checkpoint.c2_model_loading import convert_c2_detectron_names
from torch import Tensor

from igdet.checkpoint.errors import WeightsError
from igdet.utils.shown import printable

TORCHVISION_NAMING, CAFFE2, CAFFE2_GN, DETECTRON2 = "torchvision", "Caffe2", "Caffe2 GN", "Detectron2"

_STAGES = (1, 2, 3, 4)  # torchvision's layer1 is Detectron2's res2, and so on
# (torchvision's name, Detectron2's name): read from left to right and from right to left.
ROWS: tuple[tuple[str, str], ...] = (
    ("conv1.{leaf}", "stem.conv1.{leaf}"),
    ("bn1.{leaf}", "stem.conv1.norm.{leaf}"),
    ("fc.{leaf}", "classifier.{leaf}"),
    *((f"layer{s}.{{block}}.conv{{i}}.{{leaf}}", f"res{s + 1}.{{block}}.conv{{i}}.{{leaf}}") for s in _STAGES),
    *((f"layer{s}.{{block}}.bn{{i}}.{{leaf}}", f"res{s + 1}.{{block}}.conv{{i}}.norm.{{leaf}}") for s in _STAGES),
    *((f"layer{s}.{{block}}.downsample.0.{{leaf}}", f"res{s + 1}.{{block}}.shortcut.{{leaf}}") for s in _STAGES),
    *((f"layer{s}.{{block}}.downsample.1.{{leaf}}", f"res{s + 1}.{{block}}.shortcut.norm.{{leaf}}") for s in _STAGES),
)
_TORCHVISION_TRUNK = {"conv1", "bn1", *(f"layer{s}" for s in _STAGES)}
_PLACEHOLDERS = {"{block}": r"(?P<block>\d+)", "{i}": r"(?P<i>\d)", "{leaf}": r"(?P<leaf>\w+)"}

_TRUNK = re.compile(r"(stem|res[2-5])\.")
# Where models keep their trunk: a feature pyramid's bottom-up half, a classifier; and a C4 model its last stage.
TRUNK_PLACES = ("backbone.bottom_up.", "backbone.")
_TRUNK_PREFIX = re.compile(r"^(backbone\.bottom_up\.|backbone\.|roi_heads\.)(?=(stem|res[2-5])\.)")
# The classifier in Detectron2's converted torchvision files, in its own ResNet, in Caffe2's ImageNet files.
_CLASSIFIER_PREFIX = re.compile(r"^(stem\.fc|linear|fc1000)\.")


def bare_name(name: str) -> str:
    """Bring one of Detectron2's names to the bare form.

    Args:
        name: such as "backbone.bottom_up.res2.0.conv1.weight".

    Returns:
        such as "res2.0.conv1.weight".
    """
    return _CLASSIFIER_PREFIX.sub("classifier.", _TRUNK_PREFIX.sub("", name))


def is_trunk(bare: str) -> bool:
    """Whether a bare name belongs to the trunk."""
    return _TRUNK.match(bare) is not None


def is_classifier(bare: str) -> bool:
    """Whether a bare name belongs to the classifier."""
    return bare.startswith("classifier.")


def is_counter(name: str) -> bool:
    """Whether a tensor only counts the batches that a norm has seen: nothing is computed from it."""
    return name.endswith("num_batches_tracked")


def to_torchvision(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the trunk and the classifier to torchvision's (and timm's) names.

    Args:
        tensors: trunk and classifier under bare names.

    Returns:
        the same tensors, renamed.

    Raises:
        WeightsError: a tensor has no place in torchvision's ResNets.
    """
    renamed, strange = _renamed(tensors, [(right, left) for left, right in ROWS])
    _refuse_strange(list(strange), "torchvision")
    return renamed


def _from_torchvision(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Heads that no ResNet has, such as MoCo's projection, keep their names; strange blocks are of another network."""
    renamed, strange = _renamed(tensors, ROWS)
    _refuse_strange([name for name in strange if name.split(".")[0] in _TORCHVISION_TRUNK], "Detectron2")
    return strange | renamed


def _from_caffe2(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    weights = {name: tensor for name, tensor in tensors.items() if not name.endswith("_momentum")}
    # Caffe's stem has a bias that no Detectron uses; under its old name it is listed as left in the file.
    unused = {name: weights.pop(name) for name in ("conv1_b",) if name in weights}
    renamed, _ = convert_c2_detectron_names(weights)
    return _from_detectron2(renamed) | unused


def _from_detectron2(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {bare_name(name): tensor for name, tensor in tensors.items()}


DETECTRON2_MARKER = "stem.conv1.weight"
# Naming -> (a name that gives it away, how to bring a file to bare names).
NAMINGS: dict[str, tuple[str, Callable[[Mapping[str, Tensor]], dict[str, Tensor]]]] = {
    TORCHVISION_NAMING: ("layer1.0.conv1.weight", _from_torchvision),
    CAFFE2_GN: ("conv1_gn_s", _from_caffe2),
    CAFFE2: ("conv1_w", _from_caffe2),
}


def to_bare(tensors: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
    """Recognise the naming of a file's tensors and bring it to the bare form.

    Args:
        tensors: as the file names them.

    Returns:
        the naming, a key of `NAMINGS` or "Detectron2", and the same tensors under bare names.

    Raises:
        WeightsError: a torchvision-like file holds something that no ResNet has.
    """
    for naming, (marker, convert) in NAMINGS.items():
        if marker in tensors:
            return naming, convert(tensors)
    return DETECTRON2, _from_detectron2(tensors)


def with_statistics(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give norms that are folded into a scale and a shift the statistics that change nothing: mean 0, variance 1.

    Args:
        tensors: by bare name, without statistics.

    Returns:
        the tensors and the statistics.
    """
    scales = {name.removesuffix("weight"): value for name, value in tensors.items() if name.endswith(".norm.weight")}
    means = {f"{norm}running_mean": torch.zeros_like(scale) for norm, scale in scales.items()}
    variances = {f"{norm}running_var": torch.ones_like(scale) for norm, scale in scales.items()}
    return {**tensors, **means, **variances}


def _renamed(
    tensors: Mapping[str, Tensor], rows: Iterable[tuple[str, str]]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Rename by the first row that matches; the second mapping has what none matches."""
    patterns = [(_pattern(source), template) for source, template in rows]
    renamed, strange = {}, {}
    for name, tensor in tensors.items():
        matches = ((pattern.fullmatch(name), template) for pattern, template in patterns)
        found = next((template.format(**match.groupdict()) for match, template in matches if match), None)
        if found is None:
            strange[name] = tensor
        else:
            renamed[found] = tensor
    return renamed, strange


def _refuse_strange(names: list[str], target: str) -> None:
    if names:
        raise WeightsError(
            f"no {target} name for {len(names)} tensors: a ResNet has no {printable(', '.join(names[:5]))}"
        )


def _pattern(template: str) -> re.Pattern:
    pattern = re.escape(template)
    for placeholder, expression in _PLACEHOLDERS.items():
        pattern = pattern.replace(re.escape(placeholder), expression)
    return re.compile(pattern)
