"""Families of trunks that another library builds: any network of it, by its name there."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from detectron2.config import CfgNode
from detectron2.layers import ShapeSpec
from detectron2.modeling import Backbone
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from igdet.config.defaults import FPN_SUFFIX
from igdet.formats.errors import WeightsError
from igdet.modeling.library_networks import MAPS, PLAIN_STRIDE, LibraryNetwork
from igdet.modeling.simple_pyramid import STRIDES, TOP, SimplePyramid
from igdet.modeling.trunk import CLASSIFIER, Tensors, TracedImages, TrunkFamily, is_segmented
from igdet.utils.errors import UserError
from igdet.utils.yaml import ConfigError

POOLED = "pooled"  # the features in front of the classifier, pooled as the network itself does it


class LibraryTrunk(Backbone):
    """A network of another library that gives either its pooled features or maps of several strides.

    It lies under the library's name, such as "timm", where its tensors keep their names; "timm_network" is its name.
    """

    def __init__(self, network: LibraryNetwork, in_channels: int, out_features: list[str], drop_path: float):
        """Build it from random numbers.

        Args:
            network: which one.
            in_channels: of the images.
            out_features: [`POOLED`], or of `network.maps`: what gives no map that is wanted is left out.
            drop_path: the largest rate at which residual branches are dropped, that of the last block.
        """
        super().__init__()
        self.network, self.plain = network, bool(network.patch)
        self.places = sorted(network.maps[name] for name in out_features if name != POOLED)
        self.scale = network.patch / PLAIN_STRIDE if self.places and self.plain else 1.0
        self.shapes = {
            name: ShapeSpec(channels=network.channels[name], stride=stride)
            for stride, name in MAPS.items()
            if network.maps.get(name) in self.places
        } or {POOLED: ShapeSpec(channels=network.features)}
        built = network.build(in_channels, drop_path)
        setattr(self, network.library, self.pruned(built) if self.places else built)
        self.register_buffer(f"{network.library}_network", name_tensor(network))

    @property
    def built(self) -> Any:
        """The library's own network."""
        return getattr(self, self.network.library)

    @abstractmethod
    def pruned(self, built: Any) -> nn.Module:
        """Leave out what gives no map that is wanted."""

    @abstractmethod
    def pooled(self, images: Tensor) -> Tensor:
        """From float (N, C, H, W) to float (N, C')."""

    @abstractmethod
    def wanted_maps(self, images: Tensor) -> list[Tensor]:
        """From float (N, C, H, W) to those of `places`, in order, each float (N, C', H / stride, W / stride)."""

    def output_shape(self) -> dict[str, ShapeSpec]:
        """Channels and stride of each map."""
        return self.shapes

    @property
    def size_divisibility(self) -> int:
        """What the images' sides are padded to a multiple of, in pixels."""
        return max(MAPS)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """From float (N, C, H, W) to {name: float (N, C', H / stride, W / stride)}; pooled it is (N, C', 1, 1)."""
        if not self.places:
            return {POOLED: self.pooled(images)[:, :, None, None]}
        if self.scale != 1:
            # Rounded in whole numbers, which a trace keeps as a computation for images of other sizes.
            size = [(side * self.network.patch + PLAIN_STRIDE // 2) // PLAIN_STRIDE for side in images.shape[2:]]
            images = functional.interpolate(images, size, mode="bilinear", align_corners=False)
        return dict(zip(self.shapes, self.wanted_maps(images), strict=True))


def name_tensor(network: LibraryNetwork) -> Tensor:
    """Return a network's name, without what does not decide its tensors' shapes, as uint8 (letters,)."""
    return torch.tensor([*network.architecture.encode()], dtype=torch.uint8)


class LibraryTrunks(TrunkFamily):
    """Networks under their library's own names, behind "LIBRARY."; the keys are those of MODEL.LIBRARY.

    Attributes:
        library: as MODEL.BACKBONE.NAME has it; the section of MODEL that holds its keys has this name in capitals.
        example: a name that the library has.
        listing: Python code that prints all its names.
        norms: value of the key NORM -> what it makes of a network.
    """

    library: ClassVar[str]
    example: ClassVar[str]
    listing: ClassVar[str]
    norms: Mapping[str, Callable[[nn.Module], nn.Module]]
    module: type[LibraryTrunk]

    features = MappingProxyType({name: stride for stride, name in MAPS.items()})
    pooled_feature = POOLED
    leaves_unused = True

    def __init__(self) -> None:
        """Derive what follows from the library's name."""
        self.kinds = (self.library,)
        self.members = MappingProxyType({self.library: None})
        self.marker = f"{self.library}_network"  # the network's name, by which a checkpoint tells what it is of
        self.roots = (self.library, self.marker)
        self.section = self.library.upper()  # of MODEL
        self.name_key = f"MODEL.{self.section}.NAME"
        self.exports = MappingProxyType({self.library: self.to_library})

    @abstractmethod
    def find(self, name: str) -> LibraryNetwork:
        """Find a network by its name; raises `UserError` where there is none."""

    def network_of(self, cfg: CfgNode) -> LibraryNetwork:
        """Return the network that a config names."""
        return self.find(self.keys(cfg).NAME)

    def keys(self, cfg: CfgNode) -> CfgNode:
        """Return the section of a config that holds its keys."""
        return cfg.MODEL[self.section]

    def build(self, cfg: CfgNode, name: str, in_channels: int, out_features: list[str]) -> LibraryTrunk:
        """With the norms that NORM asks for."""
        network = self.network_of(cfg)
        if missing := [name for name in out_features if name not in (*network.maps, POOLED)]:
            raise ConfigError(f"{self.name_key} {network.name} has no {', '.join(missing)}: {', '.join(network.maps)}")
        trunk = self.module(network, in_channels, out_features, self.keys(cfg).DROP_PATH)
        setattr(trunk, self.library, self.norms[self.keys(cfg).NORM](trunk.built))
        return trunk

    def out_features(self, cfg: CfgNode) -> list[str]:
        """The one map that a plain network has, whatever a pyramid takes of others."""
        if is_segmented(cfg):
            return list(cfg.MODEL.SEM_SEG_HEAD.IN_FEATURES)
        network = self.network_of(cfg)
        if cfg.MODEL.BACKBONE.NAME.endswith(FPN_SUFFIX) and network.patch:
            return list(network.maps)
        return super().out_features(cfg)

    def maps(self, cfg: CfgNode) -> list[str]:
        """Those of the network, of the strides that have a name."""
        return [*self.network_of(cfg).maps]

    def build_pyramid(self, cfg: CfgNode, trunk: Backbone) -> Backbone:
        """A simple one upon a plain network."""
        if trunk.plain:
            return SimplePyramid(trunk, cfg.MODEL.FPN.OUT_CHANNELS)
        return super().build_pyramid(cfg, trunk)

    def levels(self, cfg: CfgNode) -> list[str]:
        """Those of a simple pyramid upon a plain network, whatever the detector."""
        is_pyramid = cfg.MODEL.BACKBONE.NAME.endswith(FPN_SUFFIX)
        return [*STRIDES, TOP] if is_pyramid and self.network_of(cfg).patch else super().levels(cfg)

    def parts(self, trunk: Any) -> list[list[nn.Module | nn.Parameter]]:
        """What comes before the first map's stage, then up to the end of each map's; a plain network's blocks in four
        equal parts.
        """
        groups, parameters = trunk.network.groups(trunk.built), dict(trunk.built.named_parameters())
        quarters = [1 + (len(groups) - 1) * quarter // 4 for quarter in range(4)]
        bounds = [0, *(quarters if trunk.plain else trunk.network.ends(groups)), len(groups)]
        return [[parameters[name] for group in groups[start:end] for name in group] for start, end in pairwise(bounds)]

    def layers(self, trunk: Any) -> list[list[nn.Parameter]]:
        """The network's groups; the module of its classifier, which may hold a norm, is none of them."""
        heads = [head.rpartition(".")[0] for head in trunk.network.heads]  # such as "head" of "head.fc"
        inside = tuple(f"{head}." for head in heads if head)
        parameters = {
            name: weight for name, weight in trunk.built.named_parameters() if not (inside and name.startswith(inside))
        }
        groups = [
            [parameters[name] for name in group if name in parameters] for group in trunk.network.groups(trunk.built)
        ]
        return [group for group in groups if group]

    def undecayed(self, trunk: Any) -> list[nn.Parameter]:
        """Those that the library never decays, such as positions and tokens."""
        named = trunk.network.undecayed(trunk.built)
        return [weight for name, weight in trunk.built.named_parameters() if name in named]

    def traced_images(self, trunk: Any) -> TracedImages:
        """Of the weights' size alone where they are divided into windows: how these are padded depends on the size."""
        network = trunk.network
        if network.size or any(hasattr(module, "window_size") for module in trunk.built.modules()):
            return TracedImages(network.size or network.card.crop, any_size=False)
        side = 4 * (network.patch or PLAIN_STRIDE)  # whole patches
        return TracedImages((side, side), any_size=True)

    def freeze_norms(self, trunk: Any, frozen: Iterable[nn.Module | nn.Parameter]) -> None:
        """By the library's own way: each whose weights are frozen."""
        for name, module in [*trunk.built.named_modules()]:
            weights = [*module.parameters(recurse=False)]
            if isinstance(module, _BatchNorm) and weights and not any(weight.requires_grad for weight in weights):
                parent, _, own = name.rpartition(".")
                setattr(trunk.built.get_submodule(parent), own, self.norms["FrozenBN"](module))

    def blocks(self, trunk: Any) -> list[nn.Module]:
        """Those of the network."""
        return trunk.network.blocks(trunk.built)

    def describe(self, tensors: Tensors) -> str:
        """Its name in the library."""
        return bytes(tensors[self.marker].tolist()).decode(errors="replace")

    def configure(self, cfg: CfgNode, tensors: Tensors) -> None:
        """Name the network."""
        cfg.MODEL.BACKBONE.NAME, self.keys(cfg).NAME = self.library, self.describe(tensors)

    def to_library(self, tensors: Tensors) -> dict[str, Tensor]:
        """Rename a trunk and its classifier as the library has them.

        Args:
            tensors: by bare name, `marker` among them.

        Returns:
            The same tensors, renamed, without `marker`.

        Raises:
            WeightsError: a classifier has no place, for the library's own is no linear layer.
        """
        name = self.describe(tensors)
        heads = self.find(name).heads
        if len(heads) != 1 and any(name.startswith(CLASSIFIER) for name in tensors):
            raise WeightsError(f"{self.library}'s {name} has no linear classifier: the file's has no place in it")
        places = {f"{self.library}.": "", CLASSIFIER: "".join(f"{head}." for head in heads)}
        return {
            place + name.removeprefix(prefix): tensor
            for name, tensor in tensors.items()
            for prefix, place in places.items()
            if name.startswith(prefix)
        }

    def check(self, cfg: CfgNode) -> None:
        """Refuse what the network cannot give."""
        if not self.keys(cfg).NAME:
            raise ConfigError(
                f"MODEL.BACKBONE.NAME {cfg.MODEL.BACKBONE.NAME} needs {self.name_key}, a network of {self.library} "
                f'such as {self.example}: python -c "{self.listing}" lists them'
            )
        try:
            network = self.network_of(cfg)
        except UserError as error:
            raise ConfigError(f"{self.name_key}: {error}") from error
        if self.keys(cfg).DROP_PATH and not network.drops_paths:
            raise ConfigError(
                f"MODEL.{self.section}.DROP_PATH is {self.keys(cfg).DROP_PATH}, but {network.name} has no branches to "
                "drop: set 0"
            )
        if cfg.MODEL.BACKBONE.NAME.endswith(FPN_SUFFIX):
            self._check_maps(network)
            self._check_size(network)
            super().check(cfg)
        elif is_segmented(cfg):
            self._check_size(network)
            super().check(cfg)
        elif cfg.MODEL.META_ARCHITECTURE == "ImageClassifier":
            self._check_pooling(network, cfg)

    def _check_maps(self, network: LibraryNetwork) -> None:
        missing = [stride for stride, name in MAPS.items() if name not in network.maps]
        if missing and not network.patch:
            raise ConfigError(
                f"{self.name_key} {network.name} has maps of strides {', '.join(map(str, network.strides))}, none of "
                f"{', '.join(map(str, missing))}: a feature pyramid needs 4, 8, 16 and 32"
            )

    def _check_size(self, network: LibraryNetwork) -> None:
        if network.size:
            raise ConfigError(
                f"{self.name_key} {network.name} takes images of {_by(network.size)} pixels alone: a detector's "
                "differ. Name another network"
            )

    def _check_pooling(self, network: LibraryNetwork, cfg: CfgNode) -> None:
        pooling, crops = cfg.MODEL.CLASSIFIER.POOLING, cfg.INPUT.CLASSIFICATION
        if pooling != "mean":
            raise ConfigError(
                f"MODEL.CLASSIFIER.POOLING is {pooling}, but a network of {self.library} pools in its own way: leave "
                "the key at mean"
            )
        for key in ("TRAIN_CROP", "TEST_CROP"):
            if network.size and network.size != (crops[key], crops[key]):
                raise ConfigError(
                    f"INPUT.CLASSIFICATION.{key} is {crops[key]}, but {self.name_key} {network.name} takes images of "
                    f"{_by(network.size)} pixels alone"
                )
            if network.patch and crops[key] % network.patch:
                raise ConfigError(
                    f"INPUT.CLASSIFICATION.{key} is {crops[key]}, but {self.name_key} {network.name} divides images "
                    f"into patches of {network.patch} pixels: set a multiple of {network.patch}"
                )


def _by(size: tuple[int, int]) -> str:
    return " x ".join(map(str, size))
