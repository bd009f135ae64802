"""Published ResNets and ResNeXts: the names of their tensors, torchvision's and Caffe2's, and how they are fed.

Bare names are Detectron2's: "stem.conv1.weight", "res2.0.conv1.norm.weight".
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from detectron2.checkpoint.c2_model_loading import convert_c2_detectron_names
from torch import Tensor

from igdet.formats.errors import WeightsError
from igdet.formats.origin import FAIR_RESNEXT, MSRA, TORCHVISION, Origin
from igdet.modeling.trunk import Naming, Tensors, bare_name
from igdet.utils.messages import printable

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

# (norm, whether convolutions are grouped) -> origin. "folded": batch norms turned into a scale and a shift, which only
# FrozenBN can hold. Source: the notes in Detectron2's checkpoint/catalog.py and MODEL_ZOO.md.
_DETECTRON = {
    ("BN", False): MSRA,
    ("BN", True): FAIR_RESNEXT,
    ("folded", False): replace(MSRA, norm="FrozenBN"),
    ("folded", True): replace(MSRA, stride_in_1x1=False, norm="FrozenBN"),
    ("GN", False): replace(MSRA, stride_in_1x1=False, norm="GN"),
    ("GN", True): replace(MSRA, stride_in_1x1=False, norm="GN"),
}
_ZOO_AUTHORS = ("Caffe2", "Detectron2 Model Zoo")


def to_torchvision(tensors: Tensors) -> dict[str, Tensor]:
    """Rename the trunk and the classifier to torchvision's (and timm's) names.

    Args:
        tensors: trunk and classifier under bare names.

    Returns:
        The same tensors, renamed.

    Raises:
        WeightsError: a tensor has no place in torchvision's ResNets.
    """
    renamed, strange = _renamed(tensors, [(right, left) for left, right in ROWS])
    _refuse_strange(list(strange), "torchvision")
    return renamed


def _from_torchvision(tensors: Tensors) -> dict[str, Tensor]:
    """Heads that no ResNet has, such as MoCo's projection, keep their names; strange blocks are of another network."""
    renamed, strange = _renamed(tensors, ROWS)
    _refuse_strange([name for name in strange if name.split(".")[0] in _TORCHVISION_TRUNK], "Detectron2")
    return strange | renamed


def _from_caffe2(tensors: Tensors) -> dict[str, Tensor]:
    weights = {name: tensor for name, tensor in tensors.items() if not name.endswith("_momentum")}
    # Caffe's stem has a bias that no Detectron uses; under its old name it is listed as left in the file.
    unused = {name: weights.pop(name) for name in ("conv1_b",) if name in weights}
    renamed, _ = convert_c2_detectron_names(weights)
    return {bare_name(name): tensor for name, tensor in renamed.items()} | unused


NAMINGS = (
    Naming("torchvision", "layer1.0.conv1.weight", _from_torchvision),
    Naming("Caffe2 GN", "conv1_gn_s", _from_caffe2),
    Naming("Caffe2", "conv1_w", _from_caffe2),
)
EXPORTS = {"torchvision": to_torchvision, "timm": to_torchvision}  # timm's ResNets have torchvision's names


def recognise_origin(naming: str, author: str, tensors: Tensors) -> Origin | None:
    """As `TrunkFamily.recognise_origin`."""
    if "torchvision" in (naming, author) or naming in EXPORTS:
        return TORCHVISION
    if naming.startswith("Caffe2") or author in _ZOO_AUTHORS:
        return _DETECTRON[_norm(naming, tensors), _is_grouped(tensors)]
    return None


def _norm(naming: str, trunk: Tensors) -> str:
    if "stem.conv1.norm.running_mean" in trunk:
        return "BN"
    return "folded" if naming == "Caffe2" else "GN"


def _is_grouped(trunk: Tensors) -> bool:
    """Whether this is a ResNeXt: a grouped 3x3 convolution sees fewer channels than it gives out."""
    weight = trunk.get("res2.0.conv2.weight")
    return weight is not None and weight.shape[1] < weight.shape[0]


def _renamed(tensors: Tensors, rows: Iterable[tuple[str, str]]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
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
