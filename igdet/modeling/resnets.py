"""The first family of trunks: ResNets, ResNeXts and their mixtures of experts, igdet's and Detectron2's own."""

import logging
import re
from typing import Any

from detectron2.config import CfgNode
from detectron2.modeling import ResNet
from detectron2.modeling.backbone.resnet import BottleneckBlock
from torch import nn

from igdet.config.defaults import FPN_SUFFIX
from igdet.formats.origin import Origin
from igdet.modeling import resnet_names
from igdet.modeling.norms import choose_norm
from igdet.modeling.resnet_networks import FAMILY, STAGES, Deformation, Mixture, build_resnext, check_blocks
from igdet.modeling.trunk import BACKBONE, BOTTOM_UP, Tensors, TrunkFamily, is_segmented
from igdet.modeling.trunk_building import register_trunks
from igdet.utils.yaml import ConfigError

logger = logging.getLogger(__name__)
_FEATURES = {"stem": 4, "res2": 4, "res3": 8, "res4": 16, "res5": 32}
# Of a trunk's first block, plain or a mixture of experts: its grouped convolution, and all that an image goes through.
_GROUPED = ("res2.0.conv2.weight", "res2.0.experts.here.0.0.weight")
_CONVOLUTION = re.compile(r"res2\.0\.(conv|experts\.here\.0\.)\d\.weight")


class ResNets(TrunkFamily):
    """Residual networks in Detectron2's layout; their keys are those of MODEL.RESNETS and MODEL.MOE."""

    kinds = ("ResNet", "ResNeXt")
    members = FAMILY
    features = _FEATURES
    roots = ("stem", *STAGES)
    marker = "stem.conv1.weight"
    module = ResNet
    features_key = "MODEL.RESNETS.OUT_FEATURES"
    hosts = ("build_resnet_backbone",)
    places = (BACKBONE + BOTTOM_UP, BACKBONE, "roi_heads.")  # the last: C4 models keep res5 in their heads
    # The classifier in Detectron2's converted torchvision files, in its own ResNet, in Caffe2's ImageNet files.
    heads = ("stem.fc", "linear", "fc1000")
    namings = resnet_names.NAMINGS
    exports = resnet_names.EXPORTS
    stride_in_1x1 = False  # whatever MODEL.RESNETS.STRIDE_IN_1X1 says: True is Detectron2's default
    has_mixtures = True
    fresh = (".conv2_offset.weight", ".conv2_offset.bias")  # at first, a deformable convolution is a plain one

    def build(self, cfg: CfgNode, name: str, in_channels: int, out_features: list[str]) -> ResNet:
        """As `build_resnext`, with the config's norm, mixtures and deformable stages."""
        norm = choose_norm(cfg.MODEL.RESNETS.NORM, cfg.MODEL.RESNETS.NORM_BATCH)
        dilation = cfg.MODEL.RESNETS.RES5_DILATION
        return build_resnext(
            FAMILY[name],
            in_channels,
            norm,
            out_features,
            mixture=_mixture(cfg),
            res5_dilation=dilation,
            deformation=deformation_of(cfg),
        )

    def parts(self, trunk: Any) -> list[list[nn.Module | nn.Parameter]]:
        """The stem, res2, ..., res5."""
        return [[trunk.stem], *(list(stage) for stage in trunk.stages)]

    def blocks(self, trunk: Any) -> list[nn.Module]:
        """Of whatever kind: basic, bottleneck, a mixture of experts."""
        return [block for stage in trunk.stages for block in stage]

    def out_features(self, cfg: CfgNode) -> list[str]:
        """Those of Detectron2's own key, unless a segmentation head says which."""
        return super().out_features(cfg) if is_segmented(cfg) else list(cfg.MODEL.RESNETS.OUT_FEATURES)

    def set_classifier(self, cfg: CfgNode) -> None:
        """Plain, with res5."""
        super().set_classifier(cfg)
        cfg.MODEL.RESNETS.OUT_FEATURES = [self.pooled_feature]

    def check(self, cfg: CfgNode) -> None:
        """Refuse keys of MODEL.RESNETS that say something else about the network than its name."""
        super().check(cfg)
        name, resnets = cfg.MODEL.BACKBONE.NAME, cfg.MODEL.RESNETS
        choose_norm(resnets.NORM, resnets.NORM_BATCH)
        _check_pyramid(cfg)
        _check_res5_heads(cfg)
        if resnets.STRIDE_IN_1X1:
            logger.info(
                f"{name} strides in the 3x3: MODEL.RESNETS.STRIDE_IN_1X1 True, Detectron2's default, has no effect"
            )
        member = FAMILY[name.removesuffix(FPN_SUFFIX)]
        # Key of MODEL.RESNETS -> (Detectron2's default, which says nothing; the table's value).
        decided = {
            "DEPTH": (50, member.layers),
            "NUM_GROUPS": (1, member.groups),
            "WIDTH_PER_GROUP": (64, member.width),
            "STEM_OUT_CHANNELS": (64, member.stem),
            "RES2_OUT_CHANNELS": (256, member.res2),
            "RES5_DILATION": (1, 1 if name.endswith(FPN_SUFFIX) else 2),  # a pyramid's stages halve each time
        }
        for key, (default, value) in decided.items():
            if resnets[key] not in (default, value):
                raise ConfigError(
                    f"MODEL.RESNETS.{key} is {resnets[key]}, but MODEL.BACKBONE.NAME {name} has {value}: "
                    "leave the key out, or name another backbone"
                )
        check_blocks(member, _mixture(cfg), resnets.RES5_DILATION, deformation_of(cfg))

    def configure(self, cfg: CfgNode, tensors: Tensors) -> None:
        """Set the norm and the stride too."""
        super().configure(cfg, tensors)
        # FrozenBN computes what BN does in evaluation, and has no counter that a file may lack.
        cfg.MODEL.RESNETS.NORM = "FrozenBN" if "stem.conv1.norm.running_mean" in tensors else "GN"
        cfg.MODEL.RESNETS.STRIDE_IN_1X1 = False

    def recognise_origin(self, naming: str, author: str, tensors: Tensors) -> Origin | None:
        """By names and author."""
        return resnet_names.recognise_origin(naming, author, tensors)

    def describe(self, tensors: Tensors) -> str:
        """Such as "X_101_32x8d" (layers, groups, width) or "R_50"; or which parts are absent."""
        blocks = {stage: _num_blocks(tensors, stage) for stage in STAGES}
        absent = [stage for stage, number in blocks.items() if number == 0]
        weight = next((tensors[name] for name in _GROUPED if name in tensors), None)
        if absent or weight is None:
            return f"a trunk without {', '.join(absent or [_GROUPED[0]])}"
        convolutions = sum(_CONVOLUTION.fullmatch(name) is not None for name in tensors)
        layers = convolutions * sum(blocks.values()) + 2  # and the stem and the classifier
        width = weight.shape[1]  # (groups * width, width, 3, 3)
        groups = weight.shape[0] // width
        return f"R_{layers}" if groups == 1 else f"X_{layers}_{groups}x{width}d"

    def explain_misfit(self, model: Tensors, file: Tensors, unmatched: list[str]) -> str | None:
        """Other norms, deformable convolutions, other experts."""
        if unmatched and all(".norm." in name for name in unmatched):
            return "the norms differ. Set MODEL.RESNETS.NORM to what the weights were trained with"
        if unmatched and all(name.endswith(self.fresh) for name in unmatched):
            return "the file has deformable convolutions. Set MODEL.RESNETS.DEFORM_ON_PER_STAGE as it was for them"
        ours, theirs = _mixtures(model), _mixtures(file)
        if ours == theirs:
            return None
        return (
            f"the file's mixtures of experts are {theirs}, the model's {ours}. "
            "Set MODEL.MOE.EXPERTS, STAGES and EVERY to what the file was trained with"
        )

    def residual_scales(self, trunk: nn.Module) -> list[nn.Parameter]:
        """Of R_101's 33 blocks with frozen statistics each doubles the variance: no box is finite then."""
        return [block.conv3.norm.weight for block in trunk.modules() if isinstance(block, BottleneckBlock)]


def _check_pyramid(cfg: CfgNode) -> None:
    name, given, taken = cfg.MODEL.BACKBONE.NAME, list(cfg.MODEL.RESNETS.OUT_FEATURES), list(cfg.MODEL.FPN.IN_FEATURES)
    if name.endswith(FPN_SUFFIX) and not {*taken} <= {*given}:
        raise ConfigError(
            f"MODEL.RESNETS.OUT_FEATURES is {given}, but the pyramid of MODEL.BACKBONE.NAME {name} is made of "
            f"MODEL.FPN.IN_FEATURES, {taken}: give these too, or name {name.removesuffix(FPN_SUFFIX)}, which has none"
        )


def _check_res5_heads(cfg: CfgNode) -> None:
    """Detectron2's own C4 heads would build a res5 of three plain blocks by MODEL.RESNETS, whatever the trunk is."""
    is_c4 = cfg.MODEL.META_ARCHITECTURE == "GeneralizedRCNN" and "res5" not in cfg.MODEL.RESNETS.OUT_FEATURES
    if is_c4 and cfg.MODEL.ROI_HEADS.NAME == "Res5ROIHeads" and not cfg.MODEL.BACKBONE.NAME.endswith(FPN_SUFFIX):
        raise ConfigError(
            f"MODEL.ROI_HEADS.NAME is Res5ROIHeads, whose res5 is not that of MODEL.BACKBONE.NAME "
            f"{cfg.MODEL.BACKBONE.NAME}: set it to TrunkRes5ROIHeads, as configs/Base-RCNN-C4.yaml does"
        )


def _mixture(cfg: CfgNode) -> Mixture | None:
    moe = cfg.MODEL.MOE
    return Mixture(moe.EXPERTS, moe.TOP_K, tuple(moe.STAGES), moe.EVERY) if moe.EXPERTS else None


def deformation_of(cfg: CfgNode) -> Deformation | None:
    """Read the deformable stages of a config; raises `ConfigError` where their number is not that of all stages."""
    resnets = cfg.MODEL.RESNETS
    chosen = resnets.DEFORM_ON_PER_STAGE
    if len(chosen) != len(STAGES):
        raise ConfigError(f"MODEL.RESNETS.DEFORM_ON_PER_STAGE is {chosen}: expected True or False for each of {STAGES}")
    stages = tuple(stage for stage, is_deformable in zip(STAGES, chosen, strict=True) if is_deformable)
    return Deformation(stages, resnets.DEFORM_MODULATED, resnets.DEFORM_NUM_GROUPS) if stages else None


def _num_blocks(tensors: Tensors, stage: str) -> int:
    return 1 + max((int(name.split(".")[1]) for name in tensors if name.startswith(f"{stage}.")), default=-1)


def _mixtures(tensors: Tensors) -> str:
    routers = {name: tensor for name, tensor in tensors.items() if name.endswith(".router.scores.weight")}
    blocks = [f"{name.removesuffix('.router.scores.weight')} of {len(tensor)}" for name, tensor in routers.items()]
    return ", ".join(blocks) or "none"


register_trunks(ResNets())
