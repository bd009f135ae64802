"""Networks: registers the ResNeXt family and the classifier with Detectron2."""

from igdet.modeling.classifier import ImageClassifier
from igdet.modeling.execution import apply_execution, check_execution
from igdet.modeling.labels import KHotLabels
from igdet.modeling.losses import khot_softmax_loss
from igdet.modeling.resnext import FAMILY, FPN_SUFFIX, Member, Mixture, build_resnext, check_backbone

__all__ = [
    "FAMILY",
    "FPN_SUFFIX",
    "ImageClassifier",
    "KHotLabels",
    "Member",
    "Mixture",
    "apply_execution",
    "build_resnext",
    "check_backbone",
    "check_execution",
    "khot_softmax_loss",
]
