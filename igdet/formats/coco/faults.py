"""What makes an annotation of COCO or LVIS unusable, its area where it is usable, and how boxes are written."""

from collections.abc import Mapping, Sequence

import numpy as np
from pycocotools import mask as coco_mask

from igdet.formats.coco.reading import CocoJsonError, are_finite, is_finite, is_polygon
from igdet.utils.messages import shown

TASKS = ("bbox", "segm", "keypoints")
MARGIN = 1.0  # pixels that a box may reach beyond its image, for tools that count pixel edges otherwise
# Of a file of corners, the boxes whose middle lies right of or below 1.1 / 2 = 55% of the image reach this far beyond
# when they are read as width and height: 53 to 71% of the boxes of COCO, COCO's persons and single animals, and none
# as they are. Centers make 15 to 71%.
FAR = 1.1  # sides of the image
FAR_SHARE = 0.1
FEWEST = 3  # boxes that are no accident
# Of the same honest files 11 to 73% of the boxes would do as corners, and 25 to 75% as centers; of corners all.
FITTING_SHARE = 0.95


def is_run_length(mask: object, width: int, height: int) -> bool:
    """Whether this is COCO's run-length mask of an image: counts as text, which is not read, or as whole numbers."""
    if not isinstance(mask, dict) or mask.get("size") != [height, width]:
        return False
    counts = mask.get("counts")
    if isinstance(counts, list):
        return all(isinstance(count, int) and count >= 0 for count in counts) and sum(counts) == width * height
    return isinstance(counts, str | bytes) and bool(counts)


def pixels_of_text(counts: str | bytes) -> int:
    """How many pixels COCO's run lengths as text make up; -1 where it is no such text.

    A character holds five bits of a number, lowest first, and whether more follow; the highest bit of all is the
    sign. From the fourth on, a number is the difference from the run length two before.
    """
    runs: list[int] = []
    number = bits = 0
    for code in counts.encode() if isinstance(counts, str) else counts:
        number |= (code - 48 & 31) << bits
        bits += 5
        if not code - 48 & 32:
            number -= (code - 48 & 16) << bits - 4  # 2^bits where the sign is set
            runs.append(number + runs[-2] if len(runs) > 2 else number)
            number = bits = 0
    return -1 if bits or min(runs, default=-1) < 0 else sum(runs)


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
        return f"its bbox {box} lies outside the image of {size[0]} x {size[1]}"
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
        return "" if fits else f"its segmentation is no run-length mask of the image of {size[0]} x {size[1]}"
    polygons = polygons_of(segmentation)
    if not polygons:
        return "has no polygon of at least three points"
    if not all(map(are_finite, polygons)):
        return "has a polygon that is not of finite numbers alone"
    # What lies further away than the image is long is a mistake, and drawing it takes memory by its length.
    longest = max(size)
    if any(min(points) < -longest or max(points) > 2 * longest for points in polygons):
        return f"has a polygon far outside the image of {size[0]} x {size[1]}"
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


def require_usual_boxes(path: object, boxes: np.ndarray, sizes: np.ndarray) -> None:
    """Refuse a file whose boxes are likely corners, centers or fractions of the image.

    Args:
        path: the file, for the error.
        boxes: float64 (N, 4), finite.
        sizes: float64 (N, 2): width and height of each one's image, pixels.

    Raises:
        CocoJsonError: saying what they likely are.
    """
    start, end = boxes[:, :2], boxes[:, 2:]
    far = (start + end > FAR * sizes).any(axis=1)
    fits = {
        "corners x1, y1, x2, y2": (start >= -MARGIN) & (start < end) & (end <= sizes + MARGIN),
        "center x, center y, width, height": (start - end / 2 >= -MARGIN) & (start + end / 2 <= sizes + MARGIN),
    }
    for reading, sides in fits.items():
        fitting = sides.all(axis=1)
        if far.sum() >= max(FEWEST, FAR_SHARE * len(boxes)) and fitting.mean() >= FITTING_SHARE:
            raise CocoJsonError(
                f"{path}: its boxes are likely {reading}: as x, y, width, height {far.sum():,} of {len(boxes):,} reach "
                f"far beyond their images, as the former {fitting.sum():,} lie inside; convert them to x, y, width, "
                "height, or cut those that are to their images"
            )
    small = (np.abs(boxes) <= 1).all(axis=1)
    if len(boxes) >= FEWEST and small.mean() >= FITTING_SHARE and sizes.min() > 1:
        raise CocoJsonError(
            f"{path}: {small.sum():,} of {len(boxes):,} boxes lie within one pixel: they are likely fractions of the "
            "image; expected x, y, width, height in pixels"
        )


def reach_beyond(boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Whether each box reaches more than `MARGIN` beyond its image, bool (N,); arguments as `require_usual_boxes`."""
    return ((boxes[:, :2] < -MARGIN) | (boxes[:, :2] + boxes[:, 2:] > sizes + MARGIN)).any(axis=1)
