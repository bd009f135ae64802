"""The feature pyramid upon a trunk, and its levels: one for each map of the trunk, and those on top.

A level is named by its stride: "p5" has 2^5 = 32 pixels.
"""

from collections.abc import Mapping

from detectron2.config import CfgNode
from detectron2.modeling import FPN, Backbone
from detectron2.modeling.backbone.fpn import LastLevelMaxPool, LastLevelP6P7
from torch import nn

# Meta-architectures that take two levels on top, each a convolution of the one before -> whether the first is made of
# the trunk's last map (RetinaNet, arXiv 1708.02002, section 4) or of the pyramid's (FCOS, arXiv 2006.09214, section
# 2.2). All others take one, every second cell of the last.
CONVOLVED_FROM_TRUNK = {"RetinaNet": True, "FCOS": False}


def build_fpn(cfg: CfgNode, trunk: Backbone, strides: Mapping[str, int]) -> FPN:
    """Build a pyramid of the maps that MODEL.FPN.IN_FEATURES names.

    Args:
        cfg: the config.
        trunk: gives these maps; the pyramid keeps it as `bottom_up`.
        strides: of its maps, by name, in pixels.
    """
    fpn = cfg.MODEL.FPN
    last = max(fpn.IN_FEATURES, key=lambda name: strides[name])
    return FPN(
        bottom_up=trunk,
        in_features=fpn.IN_FEATURES,
        out_channels=fpn.OUT_CHANNELS,
        norm=fpn.NORM,
        top_block=_top(cfg, last, trunk.output_shape()[last].channels, level_of(strides[last])),
        fuse_type=fpn.FUSE_TYPE,
    )


def levels(cfg: CfgNode, strides: Mapping[str, int]) -> list[str]:
    """Name the levels of a config's pyramid, the finest first.

    Args:
        cfg: the config.
        strides: of the trunk's maps, by name, in pixels.
    """
    own = sorted(strides[name] for name in cfg.MODEL.FPN.IN_FEATURES)
    on_top = 2 if cfg.MODEL.META_ARCHITECTURE in CONVOLVED_FROM_TRUNK else 1
    return [level_of(stride) for stride in (*own, *(own[-1] * 2 ** (i + 1) for i in range(on_top)))]


def level_of(stride: int) -> str:
    """Name the level of a stride, a power of two: "p5" for 32."""
    return f"p{stride.bit_length() - 1}"


def _top(cfg: CfgNode, last: str, channels: int, level: str) -> nn.Module:
    from_trunk = CONVOLVED_FROM_TRUNK.get(cfg.MODEL.META_ARCHITECTURE)
    if from_trunk is None:
        top = LastLevelMaxPool()
        top.in_feature = level
        return top
    width = cfg.MODEL.FPN.OUT_CHANNELS
    return LastLevelP6P7(channels, width, last) if from_trunk else LastLevelP6P7(width, width, level)
