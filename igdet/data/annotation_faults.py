"""What makes an annotation of COCO's or LVIS' unusable for training and evaluation."""

from igdet.utils.coco_json import are_finite, is_finite, is_polygon
from igdet.utils.run_lengths import is_run_length, pixels_of_text


def fault_of(annotation: dict, sizes: dict[int, tuple[int, int]], keypoints: dict[int, int]) -> str:
    """Say what is wrong with an annotation, or "".

    Args:
        annotation: an entry of "annotations".
        sizes: width and height in pixels, by image id.
        keypoints: number of keypoints, by category id.
    """
    if annotation["image_id"] not in sizes:
        return "its image is not in the file"
    if annotation["category_id"] not in keypoints:
        return f"its category {annotation['category_id']} is not in the file"
    if annotation.get("ignore"):
        return 'is marked "ignore", which Detectron2 does not support'
    if annotation.get("iscrowd", 0) not in (0, 1):
        return f"its iscrowd is {annotation['iscrowd']!r}; expected 0 or 1"
    if not is_finite(annotation.get("area", 0)) or annotation.get("area", 0) < 0:
        return f"its area is {annotation['area']!r}; expected square pixels, from 0 on"
    return (
        _box_fault(annotation["bbox"], sizes[annotation["image_id"]])
        or _keypoint_fault(annotation, keypoints[annotation["category_id"]])
        or _mask_fault(annotation.get("segmentation"), sizes[annotation["image_id"]])
    )


def _box_fault(box: list[float], size: tuple[int, int]) -> str:
    if not isinstance(box, list) or len(box) != 4 or not all(map(is_finite, box)):
        return f"its bbox {box} is not four finite numbers"
    left, top, width, height = box
    if width <= 0 or height <= 0:
        return f"its bbox {box} has no area; expected left, top, width, height"
    # One that only reaches beyond stays: Detectron2 clips it. Detections are held to more: coco_check.
    if left >= size[0] or top >= size[1] or left + width <= 0 or top + height <= 0:
        return f"its bbox {box} lies outside the picture of {size[0]} x {size[1]}"
    return ""


def _keypoint_fault(annotation: dict, expected: int) -> str:
    keypoints = annotation.get("keypoints") or []
    if not isinstance(keypoints, list):
        return f"its keypoints {keypoints!r} are no list of numbers"
    if not are_finite(keypoints):
        return "its keypoints are not finite numbers alone"
    found = len(keypoints)
    if found == 3 * expected or annotation.get("iscrowd"):
        return ""
    return f"has {found} keypoint numbers; its category has {expected} keypoints, so {3 * expected} were expected"


def _mask_fault(segmentation: list | dict | None, size: tuple[int, int]) -> str:
    if not segmentation:
        return ""
    if isinstance(segmentation, dict):
        fits = is_run_length(segmentation, *size) and _fills(segmentation["counts"], size[0] * size[1])
        return "" if fits else f"its segmentation is no run-length mask of the picture of {size[0]} x {size[1]}"
    # Detectron2 passes over polygons of fewer points.
    polygons = list(filter(is_polygon, segmentation)) if isinstance(segmentation, list) else []
    if not polygons:
        return "has no polygon of at least three points"
    return "" if all(map(are_finite, polygons)) else "has a polygon that is not of finite numbers alone"


def _fills(counts: list[int] | str, pixels: int) -> bool:
    """Whether run lengths make up a picture; pycocotools writes beyond its memory where text makes up more."""
    return isinstance(counts, list) or pixels_of_text(counts) == pixels
