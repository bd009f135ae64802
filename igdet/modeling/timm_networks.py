"""What igdet must know of a network of timm: its maps, its sizes, its layers in order; found by building it empty."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from igdet.utils.errors import UserError
from igdet.utils.messages import did_you_mean

MAPS = {4: "res2", 8: "res3", 16: "res4", 32: "res5"}  # stride in pixels -> Detectron2's name of such a map
# A plain network, such as a vision transformer, has maps of one stride, its patch. Detectors show it images resized so
# that a patch covers as much of them as one of 16 pixels would.
PLAIN_STRIDE = 16
PLAIN_MAP = MAPS[PLAIN_STRIDE]
# Arguments, where a network has them, with which it takes images of any size: window attention pads its last windows.
_ANY_SIZE = {"dynamic_img_size": True, "strict_img_size": False}
_NUMBERED = re.compile(r"\d(\.|$)")


@dataclass(frozen=True)
class Network:
    """A network of timm.

    Attributes:
        name: as timm has it, such as "convnext_tiny.fb_in22k".
        maps: name of a feature map, of `MAPS` -> its place in timm's list of maps; of a plain network only `PLAIN_MAP`.
        modules: name of a feature map -> the module that gives it.
        patch: side of a plain network's patches in pixels; 0 where there are maps of several strides.
        strides: of all maps, in pixels.
        size: (height, width) in pixels, where it takes images of this size alone, None where it takes any.
        options: with which it is built.
        drops_paths: whether it can drop residual branches.
        card: what timm knows of its weights: "mean", "std", "input_size", "crop_pct", "interpolation", ...
    """

    name: str
    maps: dict[str, int]
    modules: dict[str, str]
    patch: int
    strides: tuple[int, ...]
    size: tuple[int, int] | None
    options: dict[str, Any]
    drops_paths: bool
    card: dict[str, Any]

    @property
    def architecture(self) -> str:
        """The name without the tag of its weights: what decides the tensors' shapes."""
        return self.name.split(".")[0]

    def build(self, in_channels: int = 3, drop_path: float = 0.0) -> Any:
        """Build it from random numbers, without classifier."""
        dropped = {"drop_path_rate": drop_path} if drop_path else {}  # not every network has the argument
        return _timm().create_model(self.name, num_classes=0, in_chans=in_channels, **self.options, **dropped)

    def load(self, file: str = "") -> Any:
        """Build it with its classifier and its published weights, or those of a file that timm reads."""
        overlay = {"file": file} if file else None
        return _timm().create_model(self.name, pretrained=True, pretrained_cfg_overlay=overlay, **self.options)

    @property
    def has_weights(self) -> bool:
        """Whether weights are published."""
        return any(self.card.get(key) for key in ("hf_hub_id", "url", "file"))


def find_network(name: str) -> Network:
    """Find a network by its name.

    Args:
        name: as `timm.list_models(pretrained=True)` has it, with or without the tag of its weights.

    Raises:
        UserError: timm has no such network, or is not installed.
    """
    timm = _timm()
    if not timm.is_model(name):
        known = [*timm.list_models(), *timm.list_models(pretrained=True)]
        raise UserError(f"timm {timm.__version__} has no network {name!r}{did_you_mean(name, known)}")
    try:
        return _inspected(name)
    except RuntimeError as error:  # timm's word for a tag that it does not know
        raise UserError(f"timm {timm.__version__} cannot build {name!r}: {error}") from error


@lru_cache(maxsize=64)
def _inspected(name: str) -> Network:
    with torch.device("meta"):  # neither memory nor random numbers
        empty = _timm().create_model(name, num_classes=0)
    takes = inspect.signature(type(empty).__init__).parameters
    maps = [(at, row["reduction"], row["module"]) for at, row in enumerate(empty.feature_info)]
    strides = [stride for _, stride, _ in maps]
    plain = len(set(strides)) == 1
    names = dict.fromkeys(strides, PLAIN_MAP) if plain else MAPS
    # The last of several maps of one stride; of a plain network the last of all.
    named = {names[stride]: (at, module) for at, stride, module in maps if stride in names}
    options = {option: value for option, value in _ANY_SIZE.items() if option in takes}
    card = dict(empty.pretrained_cfg)
    fixed = card.get("fixed_input_size") and not options
    return Network(
        name=name,
        maps={name: at for name, (at, _) in named.items()},
        modules={name: module for name, (_, module) in named.items()},
        patch=strides[0] if plain else 0,
        strides=tuple(strides),
        size=tuple(card["input_size"][1:]) if fixed else None,
        options=options,
        drops_paths="drop_path_rate" in takes,
        card=card,
    )


def layer_groups(network: nn.Module) -> list[list[str]]:
    """Return the names of a network's parameters in groups, from the images on: a group is a layer or a block.

    Args:
        network: one of timm's. The groups are its own, or, where it has none, the modules that give its maps.
    """
    matcher: Any = getattr(network, "group_matcher", None)
    if matcher is not None:
        from timm.models import group_parameters

        return list(group_parameters(network, matcher(coarse=False)).values())
    groups: list[list[str]] = [[]]
    info: Any = network.feature_info
    modules = [row["module"] for row in info]
    for name, _ in network.named_parameters():
        if len(groups) <= len(modules) and name.startswith(f"{modules[len(groups) - 1]}."):
            groups.append([])
        groups[-1].append(name)
    return groups


def blocks_of(network: nn.Module) -> list[nn.Module]:
    """Return the outermost numbered modules whose weights are all of one of `layer_groups`, those of several layers."""
    group_of = {name: at for at, group in enumerate(layer_groups(network)) for name in group}

    def inside(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
        groups = {group_of[f"{name}.{weight}".lstrip(".")] for weight, _ in module.named_parameters()}
        if len(groups) == 1 and not isinstance(module, nn.ModuleList):
            yield name, module
        else:
            for own, child in module.named_children():
                yield from inside(child, f"{name}.{own}".lstrip("."))

    # Numbered as "blocks.3" or "s1.b2": "stem" and "head" are none.
    return [block for name, block in inside(network, "") if _NUMBERED.search(name) and [*block.children()]]


def _timm() -> Any:
    try:
        import timm
    except ImportError as error:
        raise UserError('MODEL.BACKBONE.NAME timm needs the package timm: pip install "igdet[timm]"') from error
    return timm
