"""The networks of torchvision: found by name, inspected by building them empty, built and filled by torchvision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torchvision import models
from torchvision.models import VisionTransformer
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.ops import StochasticDepth

from igdet.modeling.library_networks import MAPS, PLAIN_MAP, Card, LibraryNetwork
from igdet.utils.cache import torch_hub_file
from igdet.utils.errors import UserError
from igdet.utils.messages import did_you_mean

# Class of networks -> the modules that images pass, one after the other; of all others it is "features".
_WAYS: dict[type[nn.Module], tuple[str, ...]] = {
    models.ResNet: ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"),
    models.RegNet: ("stem", "trunk_output"),
    models.ShuffleNetV2: ("conv1", "maxpool", "stage2", "stage3", "stage4", "conv5"),
    models.MaxVit: ("stem", "blocks"),
}
_OF_ONE_SIZE = (models.MaxVit,)  # its windows divide one size
# Their branches end elsewhere than in the last map, the classifier is a convolution, or a checkpoint needs a version.
_NOT_TAKEN = (models.GoogLeNet, models.Inception3, models.SqueezeNet, models.MNASNet)
# How the parameters end that torchvision's own recipes, or those of the papers, do not decay.
_UNDECAYED = ("class_token", "pos_embedding", "relative_position_bias_table", "layer_scale", "logit_scale")
# DenseNet's published files: "denselayer1.norm.1.weight" is "denselayer1.norm1.weight" since.
_OLD_NAME = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(?=[12]\.)")
_SIDE = 224  # pixels: a multiple of all strides, and the size of networks of one size


@dataclass(frozen=True)
class Step:
    """One of the modules that images pass, one after the other.

    Attributes:
        name: in the network.
        stride: of what it gives, in pixels.
        channels: of what it gives.
        is_block: whether it consists of several layers.
        begins: whether it is more than the norm or activation of the one before.
        innermost: whether it gives channels last, (N, H, W, C).
    """

    name: str
    stride: int
    channels: int
    is_block: bool
    begins: bool
    innermost: bool = False

    def channels_first(self, maps: Tensor) -> Tensor:
        """From what it gives to (N, C, H, W)."""
        return maps.permute(0, 3, 1, 2) if self.innermost else maps


@dataclass(frozen=True)
class Network(LibraryNetwork):
    """A network of torchvision.

    Attributes:
        weights: the member of torchvision's enumeration that is meant.
        steps: those of a network with maps of several strides.
        options: with which it is built.
    """

    library = "torchvision"
    weights: Any
    steps: tuple[Step, ...]
    options: dict[str, Any]

    @property
    def architecture(self) -> str:
        """The name; with the tag of its weights where these have another number of positions than the usual ones."""
        name = super().architecture
        return name if self.options == _options(type(self.weights).DEFAULT) else f"{name}.{self.weights.name}"

    def build(self, in_channels: int = 3, drop_path: float = 0.0) -> Any:
        """Build it from random numbers, without its last layer."""
        if in_channels != 3:
            raise UserError(f"torchvision's networks take images of 3 channels, not {in_channels}")
        built = self._whole()
        parent, _, own = self.heads[0].rpartition(".")
        setattr(built.get_submodule(parent), own, nn.Identity())
        _set_drop_path(built, drop_path)
        return built

    def load(self, file: str = "") -> Any:
        """Build it with its classifier and its published weights, or those of a file as torchvision publishes them."""
        built = self._whole()
        tensors = torch.load(file, weights_only=True) if file else self.weights.get_state_dict(check_hash=True)
        for name in [*tensors]:
            tensors[_OLD_NAME.sub(r"\1", name)] = tensors.pop(name)
        built.load_state_dict(tensors)
        return built

    def cached(self) -> Path | None:
        """In PyTorch's cache."""
        return torch_hub_file(self.weights.url)

    def groups(self, built: nn.Module) -> list[list[str]]:
        """A block, or a layer with its norm, each; what comes behind the last belongs to it."""
        beginnings = tuple(f"{step.name}." for step in self.steps if step.begins)
        groups: dict[str, list[str]] = {}
        at = ""
        for name, _ in built.named_parameters():
            at = next(filter(name.startswith, beginnings), at)
            groups.setdefault(at, []).append(name)
        return list(groups.values())

    def ends(self, groups: list[list[str]]) -> list[int]:
        """The stem ends at the first block of stride 4, or at that stride's first layer where there are no blocks."""
        steps = [next(step for step in self.steps if names[0].startswith(f"{step.name}.")) for names in groups]
        first = {
            stride: next((at for at, step in enumerate(steps) if step.stride >= stride), len(groups)) for stride in MAPS
        }
        blocks = (at for at, step in enumerate(steps) if step.stride >= min(MAPS) and step.is_block)
        return [next(blocks, first[4]), first[8], first[16], first[32]]

    def blocks(self, built: nn.Module) -> list[nn.Module]:
        """The steps that consist of several layers."""
        return [built.get_submodule(step.name) for step in self.steps if step.is_block]

    def undecayed(self, built: nn.Module) -> set[str]:
        """Positions, tokens, and scales of residual branches."""
        return {name for name, _ in built.named_parameters() if name.endswith(_UNDECAYED)}

    def _whole(self) -> nn.Module:
        return models.get_model(super().architecture, weights=None, **self.options)


def find_network(name: str) -> Network:
    """Find a network by its name.

    Args:
        name: as `torchvision.models.list_models(module=torchvision.models)` has it, alone or with a member of its
            enumeration of weights, such as "regnet_y_16gf.IMAGENET1K_SWAG_E2E_V1"; alone, the default is meant.

    Raises:
        UserError: torchvision has no such network or weights, or igdet does not take the network.
    """
    architecture, _, tag = name.partition(".")
    known = models.list_models(module=models)
    if architecture not in known:
        raise UserError(
            f"torchvision {torchvision.__version__} has no network {architecture!r}{did_you_mean(architecture, known)}"
        )
    published = models.get_model_weights(architecture)
    if tag and tag not in published.__members__:
        raise UserError(
            f"torchvision {torchvision.__version__} has no weights {tag!r} of {architecture}: there are "
            f"{', '.join(published.__members__)}"
        )
    return _inspected(name)


@lru_cache(maxsize=64)
def _inspected(name: str) -> Network:
    architecture, _, tag = name.partition(".")
    published = models.get_model_weights(architecture)
    weights = published[tag] if tag else published.DEFAULT
    options = _options(weights)
    # On "meta" there are neither memory nor random numbers.
    with torch.device("meta"), _NumbersOnCpu() if architecture.startswith("regnet") else nullcontext():
        empty: Any = models.get_model(architecture, weights=None, **options).eval()
    if isinstance(empty, _NOT_TAKEN):
        raise UserError(f"igdet does not take torchvision's {type(empty).__name__}: name another network")
    patch = empty.patch_size if isinstance(empty, VisionTransformer) else 0
    steps = _vit_steps(empty) if patch else _steps(empty)
    names = {patch: PLAIN_MAP} if patch else MAPS
    # The last block of a stride, or its last step where there are no blocks.
    ordered = sorted(range(len(steps)), key=lambda at: (steps[at].is_block, at))
    places = {names[steps[at].stride]: at for at in ordered if steps[at].stride in names}
    [*_, (head, linear)] = [(name, module) for name, module in empty.named_modules() if isinstance(module, nn.Linear)]
    return Network(
        name=name,
        maps=places,
        channels={name: steps[at].channels for name, at in places.items()},
        features=linear.in_features,
        patch=patch,
        strides=tuple(dict.fromkeys(step.stride for step in steps)),
        size=(_SIDE, _SIDE) if isinstance(empty, _OF_ONE_SIZE) else None,
        drops_paths=any(isinstance(module, StochasticDepth) for module in empty.modules()),
        heads=(head,),
        card=_card(weights),
        weights=weights,
        steps=tuple(steps),
        options=options,
    )


class _NumbersOnCpu(TorchFunctionMode):
    """Leaves numbers and their ranges on the CPU: RegNet's builders compute widths and depths as tensors."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **{**(kwargs or {}), **({"device": "cpu"} if func in (torch.arange, torch.tensor) else {})})


def _options(weights: Any) -> dict[str, Any]:
    """A vision transformer has as many positions as the images of its weights have patches."""
    return {"image_size": weights.meta["min_size"][0]} if type(weights).__name__.startswith("ViT_") else {}


def _card(weights: Any) -> Card:
    shown = weights.transforms()
    (crop,), (short,) = shown.crop_size, shown.resize_size
    stated = weights.meta["_metrics"]["ImageNet-1K"]
    return Card(
        mean=tuple(shown.mean),
        std=tuple(shown.std),
        crop=(crop, crop),
        enlargement=short / crop,
        interpolation=shown.interpolation.value,
        licence=weights.meta.get("license", ""),
        source=weights.url,
        accuracy={f"top-{k}": round(stated[f"acc@{k}"], 1) for k in (1, 5)},
    )


def _steps(network: nn.Module) -> list[Step]:
    """Show a network, on the device "meta", an image, and see what each step gives."""
    shown = torch.zeros(1, 3, _SIDE, _SIDE, device="meta")
    steps: list[Step] = []
    for name, module in _unrolled(network):
        shown = module(shown)
        innermost = isinstance(network, SwinTransformer) and bool(steps)  # all that follows its first convolution
        height, channels = shown.shape[1::2] if innermost else shown.shape[2:0:-1]
        is_block = bool([*module.children()])
        begins = is_block or any(weight.ndim > 1 for weight in module.parameters())
        steps.append(Step(name, round(_SIDE / height), channels, is_block, begins, innermost))
    return steps


def _vit_steps(network: Any) -> list[Step]:
    names = (f"encoder.layers.{name}" for name, _ in network.encoder.layers.named_children())
    return [Step(name, network.patch_size, network.hidden_dim, is_block=True, begins=True) for name in names]


def _unrolled(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The modules that images pass one after the other, each sequence by its members."""
    way = next((way for kind, way in _WAYS.items() if isinstance(network, kind)), ("features",))

    def inside(name: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
        if isinstance(module, nn.ModuleList) or type(module).forward is nn.Sequential.forward:
            for own, child in module.named_children():
                yield from inside(f"{name}.{own}", child)
        else:
            yield name, module

    for name in way:
        yield from inside(name, network.get_submodule(name))


def _set_drop_path(network: nn.Module, rate: float) -> None:
    """Scale the rates at which branches are dropped, which grow from block to block, so that the largest is `rate`."""
    depths = [module for module in network.modules() if isinstance(module, StochasticDepth)]
    largest = max((depth.p for depth in depths), default=0.0)
    for depth in depths:
        depth.p *= rate / largest if largest else 0.0


def vit_tokens(network: Any, images: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """What a vision transformer makes of images of any size.

    Positions are resized as torchvision's `interpolate_embeddings` does it, bicubically from corner to corner.

    Args:
        network: of torchvision.
        images: float (N, 3, H, W), H and W multiples of the patch.

    Returns:
        float (N, 1 + h w, C), the class token first; and (h, w), the patches of a column and of a row.
    """
    patches = network.conv_proj(images)
    height, width = patches.shape[2:]
    classes, positions = network.encoder.pos_embedding.split([1, network.seq_length - 1], dim=1)
    native = network.image_size // network.patch_size
    if (height, width) != (native, native):
        grid = positions.unflatten(1, (native, native)).permute(0, 3, 1, 2)
        grid = functional.interpolate(grid, (height, width), mode="bicubic", align_corners=True)
        positions = grid.flatten(2).transpose(1, 2)
    tokens = patches.flatten(2).transpose(1, 2) + positions
    first = (network.class_token + classes).expand(len(images), -1, -1)
    encoder = network.encoder
    return encoder.ln(encoder.layers(encoder.dropout(torch.cat([first, tokens], dim=1)))), (height, width)
