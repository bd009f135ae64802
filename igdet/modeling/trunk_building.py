"""From a family of trunks to backbones of Detectron2: registered, checked, built, frozen, filled wholly or refused."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Any

from detectron2.config import CfgNode, get_cfg
from detectron2.layers import ShapeSpec
from detectron2.modeling import BACKBONE_REGISTRY, Backbone
from torch import nn

from igdet.config.defaults import FPN_SUFFIX, add_igdet_config
from igdet.config.strict import merge_overrides
from igdet.modeling.trunk import BOTTOM_UP, FAMILIES, TrunkFamily, family_named, family_of_member, is_fresh, trunk_in
from igdet.utils.errors import UserError
from igdet.utils.messages import did_you_mean, shown
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
        if name.startswith(trunk.name_in_model) and not name.endswith("num_batches_tracked") and not is_fresh(name)
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


def build_trunk(
    name: str,
    out_features: Sequence[str],
    freeze_at: int = 0,
    in_channels: int = 3,
    keys: Mapping[str, Any] = MappingProxyType({}),
) -> Backbone:
    """Build a trunk or a pyramid without a config of the whole model, such as by Detectron2's LazyConfig.

    Args:
        name: as MODEL.BACKBONE.NAME, such as "X_101_32x8d", or "X_101_32x8d_FPN" for a pyramid.
        out_features: the maps that the trunk gives, such as ["res2", "res3", "res4", "res5"]; a pyramid takes them all,
            but for that of a plain network, which has one.
        freeze_at: as MODEL.BACKBONE.FREEZE_AT, 0..5.
        in_channels: of the images.
        keys: what else a config would say of it, such as {"MODEL.RESNETS.NORM": "FrozenBN"}.

    Returns:
        From random numbers, on the CPU or the device of `torch.device`. A load fills all of its trunk, or is refused.

    Raises:
        ConfigError: there is no such trunk, map or key, or keys contradict the trunk's name.
    """
    family, wanted = family_of_member(name), list(out_features)
    if family is None:
        known = [member for family in FAMILIES for member in family.members]
        raise ConfigError(f"there is no trunk {shown(name)}{did_you_mean(name, known)}: expected one of igdet's")
    unknown = [feature for feature in wanted if feature not in (*family.features, family.pooled_feature)]
    if unknown or not wanted:
        raise ConfigError(f"out_features is {wanted}: expected some of {', '.join(family.features)} of {name}")
    cfg = _config_of(name, wanted, freeze_at, keys)
    if name.endswith(FPN_SUFFIX):
        return _build_pyramid(family, name.removesuffix(FPN_SUFFIX), cfg, ShapeSpec(channels=in_channels))
    return _build(family, name, cfg, in_channels, wanted)


def _config_of(name: str, wanted: list[str], freeze_at: int, keys: Mapping[str, Any]) -> CfgNode:
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.MODEL.META_ARCHITECTURE = ""  # none that `check_backbone` knows more of
    cfg.MODEL.BACKBONE.NAME, cfg.MODEL.BACKBONE.FREEZE_AT = name, freeze_at
    cfg.MODEL.RESNETS.OUT_FEATURES = cfg.MODEL.FPN.IN_FEATURES = wanted
    merge_overrides(cfg, [str(part) for pair in keys.items() for part in pair], source=f"keys of {name}")
    return cfg


def _build_trunk(family: TrunkFamily, name: str, cfg: CfgNode, input_shape: ShapeSpec) -> Backbone:
    return _build(family, name, cfg, input_shape.channels, family.out_features(cfg))


def _build_pyramid(family: TrunkFamily, name: str, cfg: CfgNode, input_shape: ShapeSpec) -> Backbone:
    pyramid = family.build_pyramid(cfg, _build_trunk(family, name, cfg, input_shape))
    accept_any_place(pyramid)
    return pyramid


def _build(family: TrunkFamily, name: str, cfg: CfgNode, in_channels: int, out_features: list[str]) -> Backbone:
    check_backbone(cfg)
    for check in _CHECKS:
        check(cfg)
    trunk = family.build(cfg, name, in_channels, out_features)
    freeze(family, trunk, cfg.MODEL.BACKBONE.FREEZE_AT)
    guard_trunk(trunk)
    return trunk
