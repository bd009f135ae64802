"""Evaluators: classification accuracy, hashtags, COCO boxes, masks and keypoints, classes and segments of pixels."""

from igdet.evaluation.classification import ClassificationEvaluator
from igdet.evaluation.coco import CocoTransferEvaluator
from igdet.evaluation.hashtags import HashtagEvaluator
from igdet.evaluation.panoptic import PanopticEvaluator
from igdet.evaluation.segmentation import SegmentationEvaluator

__all__ = [
    "ClassificationEvaluator",
    "CocoTransferEvaluator",
    "HashtagEvaluator",
    "PanopticEvaluator",
    "SegmentationEvaluator",
]
