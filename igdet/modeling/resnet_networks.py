"""The table of ResNets and ResNeXts, and each of them as a network of plain, deformable and expert blocks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from detectron2.layers import CNNBlockBase
from detectron2.modeling import ResNet
from detectron2.modeling.backbone.resnet import BasicBlock, BasicStem, BottleneckBlock
from torch import nn

from igdet.modeling.deformable import DeformableBottleneck
from igdet.modeling.moe import MixtureBlock
from igdet.utils.yaml import ConfigError

STAGES = ("res2", "res3", "res4", "res5")


@dataclass(frozen=True)
class Member:
    """One network of the family; channels double from each stage to the next.

    Attributes:
        blocks: in res2..res5.
        groups: of the 3x3 convolutions.
        width: channels a group in res2.
        stem: channels of the stem.
        res2: channels that res2 gives out.
        basic: whether a block is two 3x3 convolutions, not a bottleneck of three.
    """

    blocks: tuple[int, int, int, int]
    groups: int
    width: int
    stem: int = 64
    res2: int = 256
    basic: bool = False

    @property
    def layers(self) -> int:
        """As networks are named: the convolutions of the blocks, the stem and the classifier."""
        return (2 if self.basic else 3) * sum(self.blocks) + 2


@dataclass(frozen=True)
class Mixture:
    """Which blocks of a trunk are mixtures of experts.

    Attributes:
        num_experts: of each such block.
        top_k: experts an image goes to, 2..num_experts.
        stages: of "res2".."res5".
        every: every how many-th block of these stages, counted back from the last.
    """

    num_experts: int
    top_k: int = 2
    stages: tuple[str, ...] = ("res5",)
    every: int = 2


@dataclass(frozen=True)
class Deformation:
    """Which 3x3 convolutions of a trunk are deformable.

    Attributes:
        stages: of "res2".."res5": all of theirs.
        modulated: whether what is seen at a place has a weight too.
        offset_groups: groups of channels that look at places of their own.
    """

    stages: tuple[str, ...]
    modulated: bool = False
    offset_groups: int = 1


# Layers -> blocks in res2..res5: 3 layers a block, the stem and the classifier: 3 * (3 + 4 + 23 + 3) + 2 = 101.
DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3)}
WIDTHS = (4, 8, 16, 32, 48)

# "X_<layers>_<groups>x<width>d", as in "Aggregated Residual Transformations for Deep Neural Networks".
FAMILY: dict[str, Member] = {
    **{f"X_{layers}_32x{width}d": Member(blocks, 32, width) for layers, blocks in DEPTHS.items() for width in WIDTHS},
    # "Deep Residual Learning for Image Recognition", in torchvision's layout.
    "R_18": Member((2, 2, 2, 2), 1, 64, res2=64, basic=True),
    "R_50": Member(DEPTHS[50], 1, 64),
    "R_101": Member(DEPTHS[101], 1, 64),
    # For images of 64 pixels on a CPU: 0.5, 1.0 and 2.2 million parameters, and two of about 24 million multiply-adds
    # at 64 pixels (X_26_8x4d: 16), deeper or wider.
    "X_14_8x4d": Member((1, 1, 1, 1), 8, 4, stem=16, res2=64),
    "X_26_8x4d": Member((2, 2, 2, 2), 8, 4, stem=16, res2=64),
    "X_26_8x8d": Member((2, 2, 2, 2), 8, 8, stem=16, res2=64),
    "X_44_8x4d": Member((2, 4, 6, 2), 8, 4, stem=16, res2=64),
    "X_26_8x6d": Member((2, 2, 2, 2), 8, 6, stem=16, res2=64),
}


def build_resnext(
    member: Member,
    in_channels: int = 3,
    norm: str | Callable[[int], nn.Module] = "BN",
    out_features: list[str] | None = None,
    freeze_at: int = 0,
    mixture: Mixture | None = None,
    res5_dilation: int = 1,
    deformation: Deformation | None = None,
) -> ResNet:
    """Build the trunk of one member, without its classifier.

    Args:
        member: a row of `FAMILY`.
        in_channels: of the images.
        norm: anything that Detectron2's `get_norm` takes.
        out_features: of "stem", "res2".."res5"; later stages than the last named are left out. None is res5.
        freeze_at: 0 nothing, 1 the stem, 2..5 also res2..res5 are frozen, as in Detectron2.
        mixture: which blocks are mixtures of experts; None: none.
        res5_dilation: 1, or 2 for a res5 that keeps the resolution of res4; its weights are of the same shapes.
        deformation: which 3x3 convolutions are deformable; None: none.

    Returns:
        a module that takes float (N, C, H, W) and returns {name: float (N, C', H / stride, W / stride)}.

    Raises:
        ConfigError: as `check_blocks`.
    """
    check_blocks(member, mixture, res5_dilation, deformation)
    stem = BasicStem(in_channels, member.stem, norm)
    stages = [
        build_stage(member, name, norm, mixture, res5_dilation if name == "res5" else 1, deformation) for name in STAGES
    ]
    return ResNet(stem, stages, out_features=out_features or ["res5"], freeze_at=freeze_at)


def build_stage(
    member: Member,
    name: str,
    norm: str | Callable[[int], nn.Module] = "BN",
    mixture: Mixture | None = None,
    dilation: int = 1,
    deformation: Deformation | None = None,
) -> list[CNNBlockBase]:
    """Build the blocks of one stage of a member, first to last.

    Args:
        member: a row of `FAMILY`.
        name: of "res2".."res5".
        norm, mixture, deformation: as for `build_resnext`.
        dilation: of its 3x3 convolutions; other than 1, they keep the resolution of the stage before.
    """
    i = STAGES.index(name)
    out_channels = member.res2 * 2**i
    in_channels = out_channels // 2 if i > 0 else member.stem
    first_stride = 2 if i > 0 and dilation == 1 else 1
    return [
        build(out_channels if j else in_channels, out_channels, stride=1 if j else first_stride, norm=norm)
        for j, build in enumerate(_kinds(member, i, mixture, dilation, deformation))
    ]


def check_blocks(member: Member, mixture: Mixture | None, res5_dilation: int, deformation: Deformation | None) -> None:
    """Refuse what the blocks of a member cannot be.

    Raises:
        ConfigError: basic blocks are to be mixtures of experts, dilated or deformable; or mixtures dilated.
    """
    if member.basic and mixture is not None:
        raise ConfigError("MODEL.MOE.EXPERTS: basic blocks cannot be mixtures of experts: name a deeper member")
    if member.basic and deformation is not None:
        raise ConfigError("MODEL.RESNETS.DEFORM_ON_PER_STAGE: basic blocks cannot be deformable: name a deeper member")
    if res5_dilation != 1 and (member.basic or (mixture and "res5" in mixture.stages)):
        blocks = "basic blocks" if member.basic else "mixtures of experts in res5, of MODEL.MOE.STAGES,"
        raise ConfigError(
            f"MODEL.RESNETS.RES5_DILATION is {res5_dilation}, but {blocks} cannot be dilated: set it to 1"
        )


def _kinds(
    member: Member, i: int, mixture: Mixture | None, dilation: int, deformation: Deformation | None
) -> list[Callable[..., CNNBlockBase]]:
    """The builder of each block of the i-th stage, first to last."""
    num_blocks, stage = member.blocks[i], STAGES[i]
    if member.basic:
        return [BasicBlock] * num_blocks
    inside = {"bottleneck_channels": member.groups * member.width * 2**i, "num_groups": member.groups}
    kind: Callable[..., CNNBlockBase] = BottleneckBlock
    if deformation and stage in deformation.stages:
        kind = partial(DeformableBottleneck, modulated=deformation.modulated, offset_groups=deformation.offset_groups)
    # The stride sits in the 3x3, as in torchvision, timm and the released weights.
    plain = partial(kind, stride_in_1x1=False, dilation=dilation, **inside)
    if mixture is None or stage not in mixture.stages:
        return [plain] * num_blocks
    build_mixture = partial(MixtureBlock, num_experts=mixture.num_experts, top_k=mixture.top_k, **inside)
    return [build_mixture if left % mixture.every == 0 else plain for left in reversed(range(num_blocks))]
