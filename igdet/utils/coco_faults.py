"""What makes an annotation of COCO's or LVIS' unusable, and the area of one that is usable."""

from collections.abc import Mapping, Sequence

import numpy as np
from pycocotools import mask as coco_mask

from igdet.utils.coco_json import are_finite, is_finite, is_polygon
from igdet.utils.run_lengths import is_run_length, pixels_of_text
from igdet.utils.shown import shown

TASKS = ("bbox", "segm", "keypoints")


def fault_of(
    annotation: Mapping,
    sizes: Mapping[int, tuple[int, int]],
    keypoints: Mapping[int, int],
    tasks: Sequence[str] = TASKS,
) -> str:
    """Say what is wrong with an annotation, or "".

    Args:
        annotation: an entry of "annotations".
        sizes: width and height in pixels, by image id.
        keypoints: number of keypoints, by category id.
        tasks: of `TASKS`, those that the annotation serves.
    """
    if annotation["image_id"] not in sizes:
        return "its image is not in the file"
    if annotation["category_id"] not in keypoints:
        return f"its category {shown(annotation['category_id'])} is not in the file"
    if annotation.get("ignore"):
        return 'is marked "ignore", which Detectron2 does not support'
    crowd, area = annotation.get("iscrowd", 0), annotation.get("area") or 0
    if isinstance(crowd, bool) or crowd not in (0, 1):
        return f"its iscrowd is {shown(crowd)}; expected 0 or 1"
    if annotation.get("area") is False or not is_finite(area) or area < 0:
        return f"its area is {shown(annotation['area'])}; expected square pixels, from 0 on"
    size = sizes[annotation["image_id"]]
    return (
        (_box_fault(annotation["bbox"], size) if "bbox" in annotation else "")
        or ("keypoints" in tasks and _keypoint_fault(annotation, keypoints[annotation["category_id"]]))
        or ("segm" in tasks and _missing_or_mask_fault(annotation.get("segmentation"), size))
        or ""
    )


def is_box(box: object) -> bool:
    """Whether this is a list of four finite numbers."""
    return isinstance(box, list) and len(box) == 4 and are_finite(box)


def _box_fault(box: list[float], size: tuple[int, int]) -> str:
    if not is_box(box):
        return f"its bbox {shown(box)} is not four finite numbers"
    left, top, width, height = box
    if width <= 0 or height <= 0:
        return f"its bbox {box} has no area; expected left, top, width, height"
    # One that only reaches beyond is kept, and said. Detections are held to more: evaluation/coco_check.
    if left >= size[0] or top >= size[1] or left + width <= 0 or top + height <= 0:
        return f"its bbox {box} lies outside the picture of {size[0]} x {size[1]}"
    return ""


def _keypoint_fault(annotation: Mapping, expected: int) -> str:
    keypoints = annotation.get("keypoints") or []
    if not isinstance(keypoints, list):
        return f"its keypoints {shown(keypoints)} are no list of numbers"
    if not are_finite(keypoints):
        return "its keypoints are not finite numbers alone"
    found = len(keypoints)
    if found == 3 * expected or (annotation.get("iscrowd") and not found):
        return ""
    return f"has {found} keypoint numbers; its category has {expected} keypoints, so {3 * expected} were expected"


def _missing_or_mask_fault(segmentation: object, size: tuple[int, int]) -> str:
    return mask_fault(segmentation, size) if segmentation else "has no mask, and MODEL.MASK_ON or segm asks for one"


def mask_fault(segmentation: object, size: tuple[int, int]) -> str:
    """Say what is wrong with a mask in an image of `size`, width and height in pixels, or ""."""
    if isinstance(segmentation, dict):
        fits = is_run_length(segmentation, *size) and _fills(segmentation["counts"], size[0] * size[1])
        return "" if fits else f"its segmentation is no run-length mask of the picture of {size[0]} x {size[1]}"
    polygons = polygons_of(segmentation)
    if not polygons:
        return "has no polygon of at least three points"
    if not all(map(are_finite, polygons)):
        return "has a polygon that is not of finite numbers alone"
    # What lies further away than the image is long is a mistake, and drawing it takes memory by its length.
    longest = max(size)
    if any(min(points) < -longest or max(points) > 2 * longest for points in polygons):
        return f"has a polygon far outside the picture of {size[0]} x {size[1]}"
    return ""


def polygons_of(segmentation: object) -> list[list[float]]:
    """Return the polygons that have three points or more."""
    return list(filter(is_polygon, segmentation)) if isinstance(segmentation, list) else []


def _fills(counts: list[int] | str, pixels: int) -> bool:
    """Whether run lengths make up an image; pycocotools writes beyond its memory where text makes up more."""
    return isinstance(counts, list) or pixels_of_text(counts) == pixels


def mask_area(segmentation: list | dict | None) -> float:
    """Return the sum of the polygons' areas, as COCO's own are, or of run lengths; square pixels, 0 without a mask."""
    if isinstance(segmentation, dict):
        runs = segmentation["counts"]
        return sum(runs[1::2]) if isinstance(runs, list) else float(coco_mask.area(segmentation))
    return sum(map(_polygon_area, segmentation or ()))


def _polygon_area(points: list[float]) -> float:
    """The shoelace formula: half of |sum of x_i y_(i+1) - x_(i+1) y_i|."""
    x, y = np.reshape(np.asarray(points, np.float64), (-1, 2)).T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
