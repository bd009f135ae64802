"""The family of timm's networks: any of them, by MODEL.TIMM.NAME, as a trunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import torch
from detectron2.config import CfgNode
from detectron2.layers import ShapeSpec
from detectron2.modeling import Backbone
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from igdet.config.defaults import FPN_SUFFIX
from igdet.formats.errors import WeightsError
from igdet.modeling.simple_pyramid import SimplePyramid
from igdet.modeling.timm_networks import MAPS, PLAIN_STRIDE, Network, blocks_of, find_network, layer_groups
from igdet.modeling.trunk import CLASSIFIER, Tensors, TrunkFamily
from igdet.modeling.trunk_building import register_trunks
from igdet.utils.errors import UserError
from igdet.utils.yaml import ConfigError

POOLED = "pooled"  # the features in front of the classifier, pooled as the network itself does it
NETWORK = "timm"  # of a trunk's parts, that which holds timm's own names
NAME = "timm_network"  # likewise, the network's name as bytes, by which a checkpoint tells what it is of


def name_tensor(network: Network) -> Tensor:
    """Return a network's name, without the tag of its weights, as uint8 (letters,)."""
    return torch.tensor([*network.architecture.encode()], dtype=torch.uint8)


class TimmTrunk(Backbone):
    """A network of timm that gives either its pooled features or maps of several strides."""

    def __init__(self, network: Network, in_channels: int, out_features: list[str], drop_path: float):
        """Build it from random numbers.

        Args:
            network: which one.
            in_channels: of the images.
            out_features: [`POOLED`], or of `network.maps`: what gives no map that is wanted is left out.
            drop_path: see MODEL.TIMM.DROP_PATH.
        """
        super().__init__()
        timm = network.build(in_channels, drop_path)
        self.network, self.plain, self.scale = network, bool(network.patch), 1.0
        self.places = sorted(network.maps[name] for name in out_features if name != POOLED)
        if self.places:
            channels = {place: timm.feature_info[place]["num_chs"] for place in self.places}
            self.scale = network.patch / PLAIN_STRIDE if self.plain else 1.0
            self.shapes = {
                name: ShapeSpec(channels=channels[place], stride=stride)
                for stride, name in MAPS.items()
                if (place := network.maps.get(name)) in channels
            }
            timm.prune_intermediate_layers(self.places, prune_norm=not self.plain, prune_head=True)
        else:
            self.shapes = {POOLED: ShapeSpec(channels=getattr(timm, "head_hidden_size", None) or timm.num_features)}
        self.timm = timm
        self.register_buffer(NAME, name_tensor(network))

    def ends_of_parts(self, groups: list[list[str]]) -> list[int]:
        """Where the stem, res2, res3 and res4 end in `layer_groups`."""
        if self.plain:
            return [1 + (len(groups) - 1) * quarter // 4 for quarter in range(4)]
        of_map = {
            name: [at for at, group in enumerate(groups) if any(weight.startswith(f"{module}.") for weight in group)]
            for name, module in self.network.modules.items()
        }
        return [of_map["res2"][0], *(of_map[name][-1] + 1 for name in ("res2", "res3", "res4"))]

    def output_shape(self) -> dict[str, ShapeSpec]:
        """Channels and stride of each map."""
        return self.shapes

    @property
    def size_divisibility(self) -> int:
        """What the images' sides are padded to a multiple of, in pixels."""
        return max(MAPS)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """From float (N, C, H, W) to {name: float (N, C', H / stride, W / stride)}; pooled it is (N, C', 1, 1)."""
        timm: Any = self.timm
        if not self.places:
            pooled = timm.forward_head(timm.forward_features(images), pre_logits=True)
            return {POOLED: pooled[:, :, None, None]}
        if self.scale != 1:
            size = [round(side * self.scale) for side in images.shape[2:]]
            images = functional.interpolate(images, size, mode="bilinear", align_corners=False)
        maps = timm.forward_intermediates(
            images, indices=self.places, norm=self.plain, output_fmt="NCHW", intermediates_only=True
        )
        return dict(zip(self.shapes, maps, strict=True))


def to_timm(tensors: Tensors) -> dict[str, Tensor]:
    """Rename a trunk and its classifier as timm has them.

    Args:
        tensors: by bare name, `NAME` among them.

    Returns:
        The same tensors, renamed, without `NAME`.

    Raises:
        WeightsError: a classifier has no place, for timm's own is no linear layer.
    """
    head = find_network(_named(tensors)).card.get("classifier")
    if not isinstance(head, str) and any(name.startswith(CLASSIFIER) for name in tensors):
        raise WeightsError(f"timm's {_named(tensors)} has no linear classifier: the file's has no place in it")
    places = {f"{NETWORK}.": "", CLASSIFIER: f"{head}."}
    return {
        place + name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        for prefix, place in places.items()
        if name.startswith(prefix)
    }


def _named(tensors: Tensors) -> str:
    return bytes(tensors[NAME].tolist()).decode(errors="replace")


class TimmTrunks(TrunkFamily):
    """Networks of timm under its own names, behind "timm."; the keys are those of MODEL.TIMM."""

    kinds = ("timm",)
    members = MappingProxyType({"timm": None})
    features = MappingProxyType({name: stride for stride, name in MAPS.items()})
    pooled_feature = POOLED
    roots = (NETWORK, NAME)
    marker = NAME
    module = TimmTrunk
    name_key = "MODEL.TIMM.NAME"
    leaves_unused = True
    exports = MappingProxyType({"timm": to_timm})

    def build(self, cfg: CfgNode, name: str, in_channels: int, out_features: list[str]) -> TimmTrunk:
        """With the norms that MODEL.TIMM.NORM asks for."""
        trunk = TimmTrunk(find_network(cfg.MODEL.TIMM.NAME), in_channels, out_features, cfg.MODEL.TIMM.DROP_PATH)
        trunk.timm = NORMS[cfg.MODEL.TIMM.NORM](trunk.timm)
        return trunk

    def out_features(self, cfg: CfgNode) -> list[str]:
        """The one map that a plain network has, whatever a pyramid takes of others."""
        network = find_network(cfg.MODEL.TIMM.NAME)
        if cfg.MODEL.BACKBONE.NAME.endswith(FPN_SUFFIX) and network.patch:
            return list(network.maps)
        return super().out_features(cfg)

    def build_pyramid(self, cfg: CfgNode, trunk: Backbone) -> Backbone:
        """A simple one upon a plain network."""
        if trunk.plain:
            return SimplePyramid(trunk, cfg.MODEL.FPN.OUT_CHANNELS)
        return super().build_pyramid(cfg, trunk)

    def parts(self, trunk: Any) -> list[list[nn.Module | nn.Parameter]]:
        """What comes before the first map's module, then up to the end of each map's; a plain network's blocks in four
        equal parts.
        """
        groups, parameters = layer_groups(trunk.timm), dict(trunk.timm.named_parameters())
        bounds = [0, *trunk.ends_of_parts(groups), len(groups)]
        return [[parameters[name] for group in groups[start:end] for name in group] for start, end in pairwise(bounds)]

    def layers(self, trunk: Any) -> list[list[nn.Parameter]]:
        """Those of timm's own grouping; the module of its classifier, which may hold a norm, is none of them."""
        head = str(trunk.network.card.get("classifier")).rpartition(".")[0]  # such as "head" of "head.fc"
        named = trunk.timm.named_parameters()
        parameters = {name: weight for name, weight in named if not (head and name.startswith(f"{head}."))}
        groups = [[parameters[name] for name in group if name in parameters] for group in layer_groups(trunk.timm)]
        return [group for group in groups if group]

    def undecayed(self, trunk: Any) -> list[nn.Parameter]:
        """What timm does not decay: positions and tokens by name, and single numbers of each channel (LayerScale)."""
        named: set[str] = getattr(trunk.timm, "no_weight_decay", set)()
        return [
            weight
            for name, weight in trunk.timm.named_parameters()
            if name in named or (weight.ndim == 1 and name.rpartition(".")[2] not in ("weight", "bias"))
        ]

    def freeze_norms(self, trunk: Any, frozen: Iterable[nn.Module | nn.Parameter]) -> None:
        """By timm, whose batch norms may hold an activation: each whose weights are frozen."""
        from timm.layers.norm_act import freeze_batch_norm_2d

        for name, module in [*trunk.timm.named_modules()]:
            weights = [*module.parameters(recurse=False)]
            if isinstance(module, _BatchNorm) and weights and not any(weight.requires_grad for weight in weights):
                parent, _, own = name.rpartition(".")
                setattr(trunk.timm.get_submodule(parent), own, freeze_batch_norm_2d(module))

    def blocks(self, trunk: Any) -> list[nn.Module]:
        """Those of timm's own grouping."""
        return blocks_of(trunk.timm)

    def describe(self, tensors: Tensors) -> str:
        """Its name in timm."""
        return _named(tensors)

    def configure(self, cfg: CfgNode, tensors: Tensors) -> None:
        """Name the network."""
        cfg.MODEL.BACKBONE.NAME, cfg.MODEL.TIMM.NAME = NETWORK, self.describe(tensors)

    def check(self, cfg: CfgNode) -> None:
        """Refuse what the network cannot give."""
        if not cfg.MODEL.TIMM.NAME:
            raise ConfigError(
                f"MODEL.BACKBONE.NAME {cfg.MODEL.BACKBONE.NAME} needs MODEL.TIMM.NAME, a network of timm such as "
                'convnext_tiny.fb_in22k: python -c "import timm; print(*timm.list_models(pretrained=True))" lists them'
            )
        try:
            network = find_network(cfg.MODEL.TIMM.NAME)
        except UserError as error:
            raise ConfigError(f"MODEL.TIMM.NAME: {error}") from error
        if cfg.MODEL.TIMM.DROP_PATH and not network.drops_paths:
            raise ConfigError(
                f"MODEL.TIMM.DROP_PATH is {cfg.MODEL.TIMM.DROP_PATH}, but {network.name} has no branches to drop: set 0"
            )
        if cfg.MODEL.BACKBONE.NAME.endswith(FPN_SUFFIX):
            _check_maps(network)
            _check_levels(network, cfg)
            super().check(cfg)
        elif cfg.MODEL.META_ARCHITECTURE == "ImageClassifier":
            _check_pooling(network, cfg)


def _check_maps(network: Network) -> None:
    missing = [stride for stride, name in MAPS.items() if name not in network.maps]
    if missing and not network.patch:
        raise ConfigError(
            f"MODEL.TIMM.NAME {network.name} has maps of strides {', '.join(map(str, network.strides))}, none of "
            f"{', '.join(map(str, missing))}: a feature pyramid needs 4, 8, 16 and 32"
        )
    if network.size:
        raise ConfigError(
            f"MODEL.TIMM.NAME {network.name} takes images of {_by(network.size)} pixels alone: a detector's differ. "
            "Name another network"
        )


def _check_levels(network: Network, cfg: CfgNode) -> None:
    levels = cfg.MODEL.RETINANET.IN_FEATURES
    if network.patch and cfg.MODEL.META_ARCHITECTURE == "RetinaNet" and "p7" in levels:
        raise ConfigError(
            f"MODEL.RETINANET.IN_FEATURES is {list(levels)}, but the simple pyramid of {network.name} ends at p6: "
            "leave p7 out, and its sizes out of MODEL.ANCHOR_GENERATOR.SIZES"
        )


def _check_pooling(network: Network, cfg: CfgNode) -> None:
    pooling, crops = cfg.MODEL.CLASSIFIER.POOLING, cfg.INPUT.CLASSIFICATION
    if pooling != "mean":
        raise ConfigError(
            f"MODEL.CLASSIFIER.POOLING is {pooling}, but a network of timm pools in its own way: leave the key at mean"
        )
    for key in ("TRAIN_CROP", "TEST_CROP"):
        if network.size and network.size != (crops[key], crops[key]):
            raise ConfigError(
                f"INPUT.CLASSIFICATION.{key} is {crops[key]}, but MODEL.TIMM.NAME {network.name} takes images of "
                f"{_by(network.size)} pixels alone"
            )


def _by(size: tuple[int, int]) -> str:
    return " x ".join(map(str, size))


def _freeze_norms(network: nn.Module) -> nn.Module:
    from timm.layers.norm_act import freeze_batch_norm_2d

    return freeze_batch_norm_2d(network)


def _share_norms(network: nn.Module) -> nn.Module:
    from timm.layers.norm_act import convert_sync_batchnorm

    return convert_sync_batchnorm(network)


# Value of MODEL.TIMM.NORM -> what it makes of a network.
NORMS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "": lambda network: network,
    "FrozenBN": _freeze_norms,
    "SyncBN": _share_norms,
}

register_trunks(TimmTrunks())
