"""Evaluators: classification accuracy, hashtag prediction, COCO boxes, masks and keypoints."""

from igdet.evaluation.classification import ClassificationEvaluator
from igdet.evaluation.coco import CocoTransferEvaluator
from igdet.evaluation.hashtags import HashtagEvaluator

__all__ = ["ClassificationEvaluator", "CocoTransferEvaluator", "HashtagEvaluator"]
