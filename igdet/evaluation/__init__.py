"""Evaluators: classification accuracy, hashtags, COCO boxes, masks and keypoints, classes and segments of pixels."""

from igdet.utils.lazy import lazy_names

__all__, __getattr__ = lazy_names(
    __name__,
    {
        "classification": ("ClassificationEvaluator",),
        "coco": ("CocoTransferEvaluator",),
        "hashtags": ("HashtagEvaluator",),
        "panoptic": ("PanopticEvaluator",),
        "segmentation": ("SegmentationEvaluator",),
    },
)
