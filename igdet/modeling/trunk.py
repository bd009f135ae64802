"""What igdet asks of a trunk: a contract that each family of networks fulfils, and the families there are.

A trunk is the part of a classifier or detector that pretraining is about: images in, feature maps out. Checkpoints,
configs, sharding, costs and exports know no network by name; they ask its family.

A tensor's bare name is its name in the trunk's own `state_dict`, such as "res2.0.conv1.weight", wherever the trunk sits
in a model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from detectron2.config import CfgNode
from detectron2.layers import FrozenBatchNorm2d
from detectron2.modeling import Backbone
from torch import Tensor, nn

from igdet.config.defaults import FPN_SUFFIX
from igdet.modeling.pyramid import build_fpn, levels
from igdet.utils.yaml import ConfigError

if TYPE_CHECKING:
    from igdet.formats.origin import Origin

Tensors = Mapping[str, Tensor]

BACKBONE = "backbone."  # before the names of a model's backbone
BOTTOM_UP = "bottom_up."  # before the names of a feature pyramid's trunk
CLASSIFIER = "classifier."  # before the names of a classifier, under bare names


@dataclass(frozen=True)
class Naming:
    """Names under which others publish a family's weights.

    Attributes:
        name: as reports call it, such as "torchvision".
        marker: a name that every such file has, and no file under other names.
        to_bare: brings a file's tensors to bare names, with the classifier under "classifier."; a tensor that is none
            of the trunk's keeps its name. Raises `WeightsError` where the file is of another network.
    """

    name: str
    marker: str
    to_bare: Callable[[Tensors], dict[str, Tensor]]


class TracedImages(NamedTuple):
    """The images by which a graph of a trunk is made.

    Attributes:
        size: (height, width) in pixels.
        any_size: whether the graph takes other sizes, too.
    """

    size: tuple[int, int]
    any_size: bool


class TrunkFamily(ABC):
    """A family of trunks: what an implementation must say, and what it may say.

    Attributes:
        kinds: what messages call its networks, such as ("ResNet", "ResNeXt").
        members: the names that MODEL.BACKBONE.NAME may have, each also with "_FPN"; the values are the family's own.
        features: names of feature maps -> their strides, in pixels, the finest first. Classifiers pool the last.
        roots: first components of its tensors' bare names.
        marker: the bare name of a tensor that each of its trunks has, by its end unlike any other tensor's.
        module: the class of its trunks, be it built by igdet or Detectron2.
        features_key: the key of a config that names the feature maps it wants.
        hosts: names of Detectron2's own backbones that are such trunks, without pyramid.
        places: what may come before bare names in a model.
        heads: what may take the place of "classifier" in files that otherwise have bare names.
        namings: of published files, besides the bare one.
        exports: format of `tools/weights.py convert` -> from bare names to that format's; raises `WeightsError` where
            a tensor has no place there.
        stride_in_1x1: whether strided bottleneck blocks stride in their first 1x1 convolution, not in their 3x3; None:
            it has no such blocks.
        has_mixtures: whether MODEL.MOE makes blocks mixtures of experts.
        name_key: the key of a config that names the network.
        leaves_unused: whether a trunk that gives maps alone lacks what only its pooled features need: a file of the
            same network may hold more then.
        fresh: ends of the bare names of tensors that a file may lack, for they begin where they change nothing.
    """

    kinds: tuple[str, ...]
    members: Mapping[str, Any]
    features: Mapping[str, int]
    roots: tuple[str, ...]
    marker: str
    module: type[Backbone]
    features_key: str = "MODEL.FPN.IN_FEATURES"
    hosts: tuple[str, ...] = ()
    places: tuple[str, ...] = (BACKBONE + BOTTOM_UP, BACKBONE)
    heads: tuple[str, ...] = ()
    namings: tuple[Naming, ...] = ()
    exports: Mapping[str, Callable[[Tensors], dict[str, Tensor]]] = MappingProxyType({})
    stride_in_1x1: bool | None = None
    has_mixtures: bool = False
    name_key: str = "MODEL.BACKBONE.NAME"
    leaves_unused: bool = False
    fresh: tuple[str, ...] = ()

    # What every family says.

    @abstractmethod
    def build(self, cfg: CfgNode, name: str, in_channels: int, out_features: list[str]) -> Backbone:
        """Build a trunk from random numbers, nothing frozen.

        Args:
            cfg: the config.
            name: a key of `members`.
            in_channels: of the images.
            out_features: of `features`: those that it gives.

        Returns:
            a `module` that takes float (N, C, H, W) and returns {name: float (N, C', H / stride, W / stride)}.
        """

    @abstractmethod
    def parts(self, trunk: nn.Module) -> list[list[nn.Module | nn.Parameter]]:
        """Divide a trunk as MODEL.BACKBONE.FREEZE_AT counts, from the images on: with 2, the first two are frozen.

        5 always freezes the whole trunk. A batch norm is frozen with the module that holds it, not by itself.
        """

    @abstractmethod
    def blocks(self, trunk: nn.Module) -> list[nn.Module]:
        """Return what is run one after the other: SOLVER.FSDP gathers the weights of one at a time, and of one
        CHECKPOINT_ACTIVATIONS keeps the inputs alone. Each is called once in a forward pass.
        """

    @abstractmethod
    def describe(self, tensors: Tensors) -> str:
        """Name a trunk by what can be seen in its tensors, by bare name, `marker` among them: a key of
        `members` where it is one.
        """

    # What has a usual answer.

    def out_features(self, cfg: CfgNode) -> list[str]:
        """Which feature maps a config wants: those that its pyramid takes, those of its segmentation head, or the one
        that a classifier pools.
        """
        if cfg.MODEL.BACKBONE.NAME.endswith(FPN_SUFFIX):
            return list(cfg.MODEL.FPN.IN_FEATURES)
        if not is_segmented(cfg):
            return [self.pooled_feature]
        # The last, too: the trunk of a file is used as a whole.
        return list(dict.fromkeys([*cfg.MODEL.SEM_SEG_HEAD.IN_FEATURES, self.pooled_feature]))

    def maps(self, cfg: CfgNode) -> list[str]:
        """Name the maps that a config's trunk can give."""
        return [*self.features]

    def set_classifier(self, cfg: CfgNode) -> None:
        """Make a config's backbone, in place, the one that a classifier has: plain, with the last feature map."""
        cfg.MODEL.BACKBONE.NAME = cfg.MODEL.BACKBONE.NAME.removesuffix(FPN_SUFFIX)

    def build_pyramid(self, cfg: CfgNode, trunk: Backbone) -> Backbone:
        """Build a feature pyramid upon a trunk, which it keeps as `bottom_up`, with the levels that `levels` names."""
        return build_fpn(cfg, trunk, self.features)

    def levels(self, cfg: CfgNode) -> list[str]:
        """Name the maps that a config's backbone gives, the finest first: a pyramid's levels, or a trunk's own."""
        is_pyramid = cfg.MODEL.BACKBONE.NAME.endswith(FPN_SUFFIX)
        return levels(cfg, self.features) if is_pyramid else self.out_features(cfg)

    def check(self, cfg: CfgNode) -> None:
        """Refuse keys of a config that contradict the family; raises `ConfigError` naming the key and both values."""
        given = self.maps(cfg)
        unknown = [name for name in self.out_features(cfg) if name not in given]
        if unknown:
            key = "MODEL.SEM_SEG_HEAD.IN_FEATURES" if is_segmented(cfg) else self.features_key
            raise ConfigError(
                f"{key}: MODEL.BACKBONE.NAME {cfg.MODEL.BACKBONE.NAME} has no {', '.join(unknown)}: "
                f"expected some of {', '.join(given)}"
            )

    def configure(self, cfg: CfgNode, tensors: Tensors) -> None:
        """Set the keys of a config that a trunk for these tensors, `marker` among them, needs to evaluate."""
        cfg.MODEL.BACKBONE.NAME = self.describe(tensors)

    def recognise_origin(self, naming: str, author: str, tensors: Tensors) -> Origin | None:
        """Tell how images must be fed to weights that do not say it.

        Args:
            naming: the `name` of one of `namings`, a key of `exports`, or "Detectron2" for bare names.
            author: the file's "__author__", or "".
            tensors: by bare name.

        Returns:
            None when nothing tells it.
        """
        return None

    def explain_misfit(self, model: Tensors, file: Tensors, unmatched: list[str]) -> str | None:
        """Say what to change where two trunks that are described alike differ.

        Args:
            model: the model's trunk by bare name, without counters.
            file: the file's.
            unmatched: bare names that only one of them has.

        Returns:
            None where nothing special can be said.
        """
        return None

    def freeze_norms(self, trunk: nn.Module, frozen: Iterable[nn.Module | nn.Parameter]) -> None:
        """Make batch norms keep their statistics, in place.

        Args:
            trunk: as a whole.
            frozen: those of its `parts` whose weights are not trained.
        """
        for piece in frozen:
            if isinstance(piece, nn.Module):
                FrozenBatchNorm2d.convert_frozen_batchnorm(piece)

    def layers(self, trunk: nn.Module) -> list[list[nn.Parameter]]:
        """Divide a trunk's weights into layers, from the images on, as SOLVER.LAYER_DECAY counts them.

        A block is one; what lies between two blocks belongs to the first of them, what comes before all is the first.
        """
        block_of = {weight: at for at, block in enumerate(self.blocks(trunk), 1) for weight in block.parameters()}
        layers: dict[int, list[nn.Parameter]] = {}
        at = 0
        for weight in trunk.parameters():
            at = block_of.get(weight, at)
            layers.setdefault(at, []).append(weight)
        return [layers[at] for at in sorted(layers)]

    def undecayed(self, trunk: nn.Module) -> list[nn.Parameter]:
        """Return the weights, besides norms and biases, that are not decayed, such as positions."""
        return []

    def residual_scales(self, trunk: nn.Module) -> list[nn.Parameter]:
        """Return the weights that scale residual branches which random weights make too strong to stay finite."""
        return []

    def traced_images(self, trunk: nn.Module) -> TracedImages:
        """Tell by what images a graph of a trunk is to be made."""
        return TracedImages((64, 64), any_size=True)

    # What follows.

    @property
    def pooled_feature(self) -> str:
        """The name of the last feature map."""
        return [*self.features][-1]

    def has(self, bare: str) -> bool:
        """Whether a bare name can belong to such a trunk."""
        return bare.split(".", 1)[0] in self.roots


def is_segmented(cfg: CfgNode) -> bool:
    """Whether a segmentation head takes the maps of a config's trunk as they are, without a pyramid."""
    is_pyramid = cfg.MODEL.BACKBONE.NAME.endswith(FPN_SUFFIX)
    return cfg.MODEL.META_ARCHITECTURE == "SemanticSegmentor" and not is_pyramid


FAMILIES: list[TrunkFamily] = []  # filled by `trunk_building.register_trunks`


def family_of_member(backbone: str) -> TrunkFamily | None:
    """Return the family that builds a MODEL.BACKBONE.NAME, None where it is none of igdet's."""
    name = backbone.removesuffix(FPN_SUFFIX)
    return next((family for family in FAMILIES if name in family.members), None)


def family_named(backbone: str) -> TrunkFamily | None:
    """Return the family to which a MODEL.BACKBONE.NAME belongs, be it igdet's or Detectron2's own."""
    return next((family for family in FAMILIES if backbone in family.hosts), family_of_member(backbone))


def family_of_tensors(names: Iterable[str]) -> TrunkFamily | None:
    """Return the family to which most of some bare names can belong, None where none can."""
    names = list(names)
    best = max(FAMILIES, key=lambda family: sum(map(family.has, names)), default=None)
    return best if best and any(map(best.has, names)) else None


def member_names() -> list[str]:
    """All names that MODEL.BACKBONE.NAME may have and that tell the network, without pyramids."""
    return [name for family in FAMILIES for name in family.members if family.name_key == TrunkFamily.name_key]


def kinds_of_trunks() -> str:
    """What messages call all trunks that there are, such as "ResNet or ResNeXt"."""
    return " or ".join(kind for family in FAMILIES for kind in family.kinds)


def is_fresh(name: str) -> bool:
    """Whether a tensor of a trunk, by any of its names, may stay as a new model has it."""
    return any(name.endswith(family.fresh) for family in FAMILIES)


def bare_name(name: str) -> str:
    """Bring one of a model's names to the bare form.

    Args:
        name: such as "backbone.bottom_up.res2.0.conv1.weight".

    Returns:
        Such as "res2.0.conv1.weight".
    """
    name = next(_rests(name), name)
    heads = (head for family in FAMILIES for head in family.heads if name.startswith(f"{head}."))
    head = next(heads, None)
    return name if head is None else CLASSIFIER + name.removeprefix(f"{head}.")


def _rests(name: str) -> Iterator[str]:
    """What is left of a name without a place at which a trunk may sit."""
    for family in FAMILIES:
        for place in family.places:
            if name.startswith(place) and family.has(rest := name.removeprefix(place)):
                yield rest


def trunk_in(backbone: nn.Module) -> nn.Module:
    """Return the trunk of a backbone: a feature pyramid's bottom-up half, or the backbone itself."""
    return getattr(backbone, BOTTOM_UP.rstrip("."), backbone)


def trunks_in(model: nn.Module) -> Iterator[tuple[TrunkFamily, nn.Module]]:
    """All trunks in a model, in order, with their families; those of others than igdet's families are passed over."""
    for module in model.modules():
        family = next((family for family in FAMILIES if isinstance(module, family.module)), None)
        if family is not None:
            yield family, module


def blocks_in(model: nn.Module) -> list[nn.Module]:
    """Return the blocks of all trunks in a model, in order."""
    return [block for family, trunk in trunks_in(model) for block in family.blocks(trunk)]


def traced_images(trunk: nn.Module) -> TracedImages:
    """Tell by what images a graph of a trunk of igdet's families is to be made."""
    return next(family.traced_images(found) for family, found in trunks_in(trunk))
