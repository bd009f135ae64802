"""The networks of timm: found by name, inspected by building them empty, built and filled by timm."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from igdet.modeling.library_networks import MAPS, PLAIN_MAP, Card, LibraryNetwork
from igdet.utils.errors import UserError
from igdet.utils.messages import did_you_mean

# Arguments, where a network has them, with which it takes images of any size: window attention pads its last windows.
_ANY_SIZE = {"dynamic_img_size": True, "strict_img_size": False}
_FILES = ("model.safetensors", "pytorch_model.bin")  # in the order in which timm asks for them
_USUAL = ("weight", "bias")  # how the parameters of layers and norms are called
_NUMBERED = re.compile(r"\d(\.|$)")


@dataclass(frozen=True)
class Network(LibraryNetwork):
    """A network of timm.

    Attributes:
        modules: name of a feature map -> the module that gives it.
        options: with which it is built.
        windows: whether its attention can be confined to them (`igdet.modeling.windows`).
    """

    library = "timm"
    modules: dict[str, str]
    options: dict[str, Any]
    windows: bool

    def build(self, in_channels: int = 3, drop_path: float = 0.0) -> Any:
        """Build it from random numbers, without classifier."""
        dropped = {"drop_path_rate": drop_path} if drop_path else {}  # not every network has the argument
        return _timm().create_model(self.name, num_classes=0, in_chans=in_channels, **self.options, **dropped)

    def load(self, file: str = "") -> Any:
        """Build it with its classifier and its published weights, or those of a file that timm reads."""
        overlay = {"file": file} if file else None
        return _timm().create_model(self.name, pretrained=True, pretrained_cfg_overlay=overlay, **self.options)

    def cached(self) -> Path | None:
        """In the hub's cache."""
        from huggingface_hub import try_to_load_from_cache

        found = (try_to_load_from_cache(self.card.source, file) for file in _FILES if self.card.source)
        return next((Path(path) for path in found if isinstance(path, str)), None)

    def groups(self, built: nn.Module) -> list[list[str]]:
        """Those of timm's own grouping."""
        return layer_groups(built)

    def ends(self, groups: list[list[str]]) -> list[int]:
        """Where the groups of the modules that give the maps end; the stem where those of the first begin."""
        of_map = {
            name: [at for at, group in enumerate(groups) if any(weight.startswith(f"{module}.") for weight in group)]
            for name, module in self.modules.items()
        }
        return [of_map["res2"][0], *(of_map[name][-1] + 1 for name in ("res2", "res3", "res4"))]

    def blocks(self, built: nn.Module) -> list[nn.Module]:
        """Those of timm's own grouping."""
        return blocks_of(built)

    def undecayed(self, built: nn.Module) -> set[str]:
        """Positions and tokens, as the network names them, and single numbers of each channel (LayerScale)."""
        named: Any = getattr(built, "no_weight_decay", set)
        parameters = built.named_parameters()
        scales = {name for name, weight in parameters if weight.ndim == 1 and name.rpartition(".")[2] not in _USUAL}
        return {*named()} | scales  # some networks name them by a dict


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
    rows = list(enumerate(empty.feature_info))
    strides = [row["reduction"] for _, row in rows]
    plain = len(set(strides)) == 1
    names = dict.fromkeys(strides, PLAIN_MAP) if plain else MAPS
    # The last of several maps of one stride; of a plain network the last of all.
    named = {names[row["reduction"]]: (at, row) for at, row in rows if row["reduction"] in names}
    options = {option: value for option, value in _ANY_SIZE.items() if option in takes}
    card = empty.pretrained_cfg
    heads = card.get("classifier") or ()
    fixed = card.get("fixed_input_size") and not options
    return Network(
        name=name,
        maps={name: at for name, (at, _) in named.items()},
        channels={name: row["num_chs"] for name, (_, row) in named.items()},
        features=getattr(empty, "head_hidden_size", None) or empty.num_features,
        patch=strides[0] if plain else 0,
        strides=tuple(strides),
        size=tuple(card["input_size"][1:]) if fixed else None,
        drops_paths="drop_path_rate" in takes,
        heads=(heads,) if isinstance(heads, str) else tuple(heads),
        card=_card(card),
        modules={name: row["module"] for name, (_, row) in named.items()},
        options=options,
        windows=plain and _knows_places_by_positions(empty),
    )


def _knows_places_by_positions(network: nn.Module) -> bool:
    """Whether attention takes tokens alone, and rotations: not with biases by place, which are of one size."""
    from timm.models.eva import Eva
    from timm.models.vision_transformer import VisionTransformer

    blocks: Any = getattr(network, "blocks", ())
    return isinstance(network, Eva | VisionTransformer) and all(hasattr(block, "attn") for block in blocks)


def _card(card: dict[str, Any]) -> Card:
    return Card(
        mean=tuple(card["mean"]),
        std=tuple(card["std"]),
        crop=tuple(card["input_size"][1:]),
        enlargement=1 / card["crop_pct"],
        interpolation=card["interpolation"],
        licence=card.get("license") or "",
        source=card.get("hf_hub_id") or card.get("url") or card.get("file") or "",
        accuracy={},
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
