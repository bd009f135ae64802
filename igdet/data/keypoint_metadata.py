"""Metadata of keypoints, under the name that scripts for igdet 0.1 know."""

from igdet.data.readers.coco import keypoint_metadata

__all__ = ["keypoint_metadata"]
