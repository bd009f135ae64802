"""Networks: registers the families of trunks, the classifier and the linear head of segmentation with Detectron2."""

import detectron2  # noqa: F401  first: what registers with it is below, and must not be half imported by then

from igdet.config.defaults import FPN_SUFFIX
from igdet.modeling.classifier import ImageClassifier
from igdet.modeling.execution import apply_execution, check_execution
from igdet.modeling.fcos import FCOS
from igdet.modeling.levels import check_levels
from igdet.modeling.linear_seg_head import LinearSegHead
from igdet.modeling.losses import KHotLabels, khot_softmax_loss
from igdet.modeling.res5_heads import TrunkRes5ROIHeads
from igdet.modeling.resnet_networks import FAMILY, Deformation, Member, Mixture, build_resnext
from igdet.modeling.resnets import ResNets
from igdet.modeling.timm_trunks import TimmTrunks
from igdet.modeling.torchvision_trunks import TorchvisionTrunks
from igdet.modeling.trunk import Naming, TrunkFamily
from igdet.modeling.trunk_building import build_trunk, check_backbone, register_trunks

__all__ = [
    "FAMILY",
    "FCOS",
    "FPN_SUFFIX",
    "Deformation",
    "ImageClassifier",
    "KHotLabels",
    "LinearSegHead",
    "Member",
    "Mixture",
    "Naming",
    "ResNets",
    "TimmTrunks",
    "TorchvisionTrunks",
    "TrunkFamily",
    "TrunkRes5ROIHeads",
    "apply_execution",
    "build_resnext",
    "build_trunk",
    "check_backbone",
    "check_execution",
    "check_levels",
    "khot_softmax_loss",
    "register_trunks",
]
