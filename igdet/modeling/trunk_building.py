"""From a family of trunks to backbones of Detectron2: registered, checked, built, frozen, filled wholly or refused."""

from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

from detectron2.config import CfgNode
from detectron2.layers import ShapeSpec
from detectron2.modeling import BACKBONE_REGISTRY, Backbone
from torch import nn

from igdet.config.defaults import FPN_SUFFIX
from igdet.modeling.trunk import BOTTOM_UP, FAMILIES, TrunkFamily, family_named, family_of_member, trunk_in
from igdet.utils.errors import UserError
from igdet.utils.yaml import ConfigError

WHOLE = 5  # the MODEL.BACKBONE.FREEZE_AT that freezes any trunk
# What layers above refuse in the config of a trunk; `igdet.checkpoint` knows how published weights must be fed.
_CHECKS: list[Callable[[CfgNode], None]] = []


def guard_trunk(trunk: nn.Module) -> None:
    """Let a trunk take up that of a feature pyramid, and refuse to leave a part of it as it is.

    Args:
        trunk: changed in place.
    """
    accept_any_place(trunk)
    refuse_gaps(trunk)


def refuse_gaps(part: nn.Module) -> None:
    """Refuse to leave a tensor of a trunk, or of a part that sits elsewhere in a model, as it is.

    Args:
        part: changed in place.
    """
    part._register_load_state_dict_pre_hook(_note_prefix, with_module=True)
    part.register_load_state_dict_post_hook(_refuse_gaps)


def accept_any_place(backbone: nn.Module) -> None:
    """Let a backbone take up trunks of classifiers and of feature pyramids alike.

    Args:
        backbone: a trunk, or a feature pyramid whose `bottom_up` is one; changed in place.
    """
    backbone._register_load_state_dict_pre_hook(_find_trunk, with_module=True)  # public only from PyTorch 2.5 on


def _find_trunk(backbone: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Rename "backbone.NAME" to "backbone.bottom_up.NAME" for a pyramid, and the other way for a plain trunk."""
    trunk = trunk_in(backbone)
    here, there = ("", BOTTOM_UP) if trunk is backbone else (BOTTOM_UP, "")
    roots = {name.split(".")[0] for name in trunk.state_dict()}
    for name in list(state):
        rest = name.removeprefix(prefix + there)
        if name.startswith(prefix + there) and rest.split(".")[0] in roots:
            state.setdefault(f"{prefix}{here}{rest}", state.pop(name))


def _note_prefix(trunk: Any, state: dict[str, Any], prefix: str, *_: Any) -> None:
    trunk.name_in_model = prefix


def _refuse_gaps(trunk: nn.Module, incompatible: Any) -> None:
    missing = [
        name
        for name in incompatible.missing_keys
        if name.startswith(trunk.name_in_model) and not name.endswith("num_batches_tracked")
    ]
    if missing:
        needed = sum(not name.endswith("num_batches_tracked") for name in trunk.state_dict())
        raise UserError(
            f"{len(missing)} of the trunk's {needed} tensors would stay as they are, random in a new model: what is "
            f"loaded has no {missing[0]} of the right shape. Is MODEL.BACKBONE.NAME its network? A file under other "
            "names, such as torchvision's or timm's, is loaded as igdet://file/PATH"
        )


def register_trunks(family: TrunkFamily) -> None:
    """Let MODEL.BACKBONE.NAME name a family's members, plain and with a feature pyramid.

    Args:
        family: its members' names are new.

    Raises:
        TypeError: it leaves out what every family says.
        ValueError: a name is taken, or a root is another family's.
    """
    unsaid = [name for name in TrunkFamily.__annotations__ if not hasattr(family, name)]
    if unsaid:
        raise TypeError(f"{type(family).__name__} has no {', '.join(unsaid)}, which every TrunkFamily says")
    taken = [name for name in family.members if family_of_member(name) or name in BACKBONE_REGISTRY]
    if taken:
        raise ValueError(f"{', '.join(taken)}: a backbone has that name already, give the member another one")
    for other in FAMILIES:
        if shared := sorted({*family.roots} & {*other.roots}):
            raise ValueError(
                f"{type(family).__name__} and {type(other).__name__} both have tensors under {', '.join(shared)}: a "
                "file could not be told from one of the other; give the modules other names"
            )
    FAMILIES.append(family)
    for name in family.members:
        for suffix, build in (("", _build_trunk), (FPN_SUFFIX, _build_pyramid)):
            builder: Any = partial(build, family, name)
            builder.__name__ = name + suffix  # the name under which the registry keeps it
            BACKBONE_REGISTRY.register(builder)


def before_building(check: Callable[[CfgNode], None]) -> Callable[[CfgNode], None]:
    """Have a function of the config called before any trunk is built; it raises where the config is wrong."""
    _CHECKS.append(check)
    return check


def check_backbone(cfg: CfgNode) -> None:
    """Refuse a config whose other keys contradict its backbone's name, which decides.

    Args:
        cfg: a config; backbones of others than igdet's families are none of its business.

    Raises:
        ConfigError: naming the key and both values.
    """
    name = cfg.MODEL.BACKBONE.NAME
    family = family_of_member(name)
    if cfg.MODEL.MOE.EXPERTS and not (family and family.has_mixtures):
        raise ConfigError(
            f"MODEL.MOE.EXPERTS is {cfg.MODEL.MOE.EXPERTS}, but MODEL.BACKBONE.NAME {name} is none of igdet's "
            "family, which alone has mixtures of experts: name a member such as X_101_32x8d, or set EXPERTS to 0"
        )
    if family is not None:
        family.check(cfg)
    if cfg.MODEL.META_ARCHITECTURE == "ImageClassifier":
        _check_pooled(cfg)


def _check_pooled(cfg: CfgNode) -> None:
    family = family_named(cfg.MODEL.BACKBONE.NAME)
    if family is None:
        return
    found, pooled = family.out_features(cfg), family.pooled_feature
    if found != [pooled]:
        raise ConfigError(f"{family.features_key} is {found}: expected [{pooled}], which a classifier pools")


def freeze(family: TrunkFamily, trunk: nn.Module, freeze_at: int) -> None:
    """Freeze a trunk from below in place: weights are not trained, batch norms keep their statistics.

    Args:
        family: of the trunk.
        trunk: nothing of it is frozen.
        freeze_at: how many of its parts, 0..5; `WHOLE` freezes all.
    """
    parts = [[trunk]] if freeze_at >= WHOLE else family.parts(trunk)[:freeze_at]
    pieces = list(chain.from_iterable(parts))
    for piece in pieces:
        piece.requires_grad_(False)
    family.freeze_norms(trunk, pieces)


def _build_trunk(family: TrunkFamily, name: str, cfg: CfgNode, input_shape: ShapeSpec) -> Backbone:
    check_backbone(cfg)
    for check in _CHECKS:
        check(cfg)
    trunk = family.build(cfg, name, input_shape.channels, family.out_features(cfg))
    freeze(family, trunk, cfg.MODEL.BACKBONE.FREEZE_AT)
    guard_trunk(trunk)
    return trunk


def _build_pyramid(family: TrunkFamily, name: str, cfg: CfgNode, input_shape: ShapeSpec) -> Backbone:
    pyramid = family.build_pyramid(cfg, _build_trunk(family, name, cfg, input_shape))
    accept_any_place(pyramid)
    return pyramid
