"""Which kind of numbers the boxes of a whole COCO file are: left, top, width, height, or something else.

Shapes: N boxes.
"""

import numpy as np

from igdet.utils.coco_json import CocoJsonError

MARGIN = 1.0  # pixels that a box may reach beyond its image, for tools that count pixel edges otherwise
# Of a file of corners, the boxes whose middle lies right of or below 1.1 / 2 = 55% of the image reach this far beyond
# when they are read as width and height: 53 to 71% of the boxes of COCO, COCO's persons and single animals, and none
# as they are. Centers make 15 to 71%.
FAR = 1.1  # sides of the image
FAR_SHARE = 0.1
FEWEST = 3  # boxes that are no accident
# Of the same honest files 11 to 73% of the boxes would do as corners, and 25 to 75% as centers; of corners all.
FITTING_SHARE = 0.95


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
