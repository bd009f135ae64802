"""The ResNeXt family as a table over Detectron2's ResNet, each member plain and with a feature pyramid."""

from collections.abc import Callable
from dataclasses import dataclass

from detectron2.config import CfgNode
from detectron2.layers import ShapeSpec
from detectron2.modeling import BACKBONE_REGISTRY, FPN, Backbone, ResNet
from detectron2.modeling.backbone.fpn import LastLevelMaxPool
from detectron2.modeling.backbone.resnet import BasicStem, BottleneckBlock
from torch import nn

from igdet.config.defaults import FPN_SUFFIX
from igdet.modeling.ghost_norm import choose_norm
from igdet.utils.strict_yaml import ConfigError


@dataclass(frozen=True)
class Member:
    """One network of the family; channels double from each stage to the next.

    Attributes:
        blocks: bottleneck blocks in res2..res5.
        groups: of the 3x3 convolutions.
        width: channels a group in res2.
        stem: channels of the stem.
        res2: channels that res2 gives out.
    """

    blocks: tuple[int, int, int, int]
    groups: int
    width: int
    stem: int = 64
    res2: int = 256


# "X_<layers>_<groups>x<width>d", as in "Aggregated Residual Transformations for Deep Neural Networks".
# Layers: 3 a block, the stem and the classifier: 3 * (3 + 4 + 23 + 3) + 2 = 101.
FAMILY: dict[str, Member] = {
    "X_50_32x4d": Member((3, 4, 6, 3), 32, 4),
    "X_101_32x4d": Member((3, 4, 23, 3), 32, 4),
    "X_101_32x8d": Member((3, 4, 23, 3), 32, 8),
    "X_101_32x16d": Member((3, 4, 23, 3), 32, 16),
    "X_101_32x32d": Member((3, 4, 23, 3), 32, 32),
    "X_101_32x48d": Member((3, 4, 23, 3), 32, 48),
    "X_152_32x8d": Member((3, 8, 36, 3), 32, 8),
    # For the synthetic world's 64-pixel pictures, on a CPU: 0.5 and 1.0 million parameters.
    "X_14_8x4d": Member((1, 1, 1, 1), 8, 4, stem=16, res2=64),
    "X_26_8x4d": Member((2, 2, 2, 2), 8, 4, stem=16, res2=64),
}


def build_resnext(
    member: Member,
    in_channels: int = 3,
    norm: str | Callable[[int], nn.Module] = "BN",
    out_features: list[str] | None = None,
    freeze_at: int = 0,
) -> ResNet:
    """Build the trunk of one member, without its classifier.

    Args:
        member: a row of `FAMILY`.
        in_channels: of the pictures.
        norm: anything that Detectron2's `get_norm` takes.
        out_features: of "stem", "res2".."res5"; later stages than the last named are left out. None is res5.
        freeze_at: 0 nothing, 1 the stem, 2..5 also res2..res5 are frozen, as in Detectron2.

    Returns:
        a module that takes float (N, C, H, W) and gives {name: float (N, C', H / stride, W / stride)}.
    """
    stem = BasicStem(in_channels, member.stem, norm)
    stages, channels = [], member.stem
    for i, num_blocks in enumerate(member.blocks):
        out_channels = member.res2 * 2**i
        stages.append(
            ResNet.make_stage(
                BottleneckBlock,
                num_blocks,
                stride_per_block=[1 if i == 0 else 2] + [1] * (num_blocks - 1),
                in_channels=channels,
                bottleneck_channels=member.groups * member.width * 2**i,
                out_channels=out_channels,
                num_groups=member.groups,
                norm=norm,
                stride_in_1x1=False,  # the stride sits in the 3x3, as in torchvision, timm and the released weights
            )
        )
        channels = out_channels
    return ResNet(stem, stages, out_features=out_features or ["res5"], freeze_at=freeze_at)


def _build_plain(cfg: CfgNode, input_shape: ShapeSpec, name: str) -> ResNet:
    check_backbone(cfg)
    resnets = cfg.MODEL.RESNETS
    norm = choose_norm(resnets.NORM, resnets.NORM_BATCH)
    return build_resnext(
        FAMILY[name], input_shape.channels, norm, list(resnets.OUT_FEATURES), cfg.MODEL.BACKBONE.FREEZE_AT
    )


def _build_fpn(cfg: CfgNode, input_shape: ShapeSpec, name: str) -> FPN:
    fpn = cfg.MODEL.FPN
    return FPN(
        bottom_up=_build_plain(cfg, input_shape, name),
        in_features=fpn.IN_FEATURES,
        out_channels=fpn.OUT_CHANNELS,
        norm=fpn.NORM,
        top_block=LastLevelMaxPool(),
        fuse_type=fpn.FUSE_TYPE,
    )


def check_backbone(cfg: CfgNode) -> None:
    """Refuse a key of Detectron2's that says something else about the network than its name, which decides.

    Args:
        cfg: a config; backbones of others than this family are none of its business.

    Raises:
        ConfigError: naming the key and both values.
    """
    name = cfg.MODEL.BACKBONE.NAME
    member = FAMILY.get(name.removesuffix(FPN_SUFFIX))
    if member is None:
        return
    choose_norm(cfg.MODEL.RESNETS.NORM, cfg.MODEL.RESNETS.NORM_BATCH)
    # Key of MODEL.RESNETS -> (Detectron2's default, which says nothing; the table's value).
    decided = {
        "DEPTH": (50, 3 * sum(member.blocks) + 2),
        "NUM_GROUPS": (1, member.groups),
        "WIDTH_PER_GROUP": (64, member.width),
        "STEM_OUT_CHANNELS": (64, member.stem),
        "RES2_OUT_CHANNELS": (256, member.res2),
        "RES5_DILATION": (1, 1),
        "STRIDE_IN_1X1": (False, False),
        "DEFORM_ON_PER_STAGE": ([False] * 4, [False] * 4),
    }
    for key, (default, value) in decided.items():
        given = cfg.MODEL.RESNETS[key]
        if given not in (default, value):
            raise ConfigError(
                f"MODEL.RESNETS.{key} is {given}, but MODEL.BACKBONE.NAME {name} has {value}: "
                "leave the key out, or name another backbone"
            )


def _register(name: str, suffix: str, build) -> None:
    def builder(cfg: CfgNode, input_shape: ShapeSpec) -> Backbone:
        return build(cfg, input_shape, name)

    builder.__name__ = name + suffix  # the name under which the registry keeps it
    BACKBONE_REGISTRY.register(builder)


for _name in FAMILY:
    _register(_name, "", _build_plain)
    _register(_name, FPN_SUFFIX, _build_fpn)
