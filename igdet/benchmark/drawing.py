"""Draws COCO annotations and predictions: boxes with names, masks, keypoints."""

from collections.abc import Sequence

import cv2
import numpy as np
from pycocotools import mask as masks

# The longer side of a drawn picture, pixels.
SIDE = 320
# BGR, one a category in turn; light enough to be seen on dark pictures.
COLORS = [(80, 200, 255), (255, 170, 60), (110, 230, 110), (200, 130, 255), (90, 120, 255), (230, 230, 90)]
FONT, FONT_SCALE, PADDING = cv2.FONT_HERSHEY_SIMPLEX, 0.42, 3


def draw(picture: np.ndarray, items: Sequence[dict], names: dict[int, str]) -> np.ndarray:
    """Draw COCO annotations or predictions.

    Args:
        picture: uint8 (H, W, 3), BGR.
        items: dicts with "bbox" (x, y, width, height) and "category_id", perhaps "segmentation" or "keypoints".
        names: category id -> name.

    Returns:
        uint8 (H', W', 3) whose longer side is `SIDE`.
    """
    scale = SIDE / max(picture.shape[:2])
    canvas = cv2.resize(
        picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    )
    for item in items:
        color = COLORS[item["category_id"] % len(COLORS)]
        if item.get("segmentation"):
            _draw_mask(canvas, _mask(item["segmentation"], *picture.shape[:2]), color)
        if item.get("keypoints"):
            _draw_keypoints(canvas, np.reshape(item["keypoints"], (-1, 3)), scale, color)
        _draw_box(canvas, np.multiply(item["bbox"], scale), names[item["category_id"]], color)
    return canvas


def _draw_mask(canvas: np.ndarray, mask: np.ndarray, color: tuple[int, int, int]) -> None:
    large = cv2.resize(mask, canvas.shape[1::-1], interpolation=cv2.INTER_NEAREST).astype(bool)
    canvas[large] = (0.55 * canvas[large] + 0.45 * np.array(color)).astype(np.uint8)


def _draw_keypoints(canvas: np.ndarray, points: np.ndarray, scale: float, color: tuple[int, int, int]) -> None:
    for x, y, visible in points:  # in ground truth v = 0 means not labelled; predictions carry a score there
        if visible > 0:
            center = round(x * scale), round(y * scale)
            cv2.circle(canvas, center, 4, (0, 0, 0), -1, cv2.LINE_AA)
            cv2.circle(canvas, center, 3, color, -1, cv2.LINE_AA)


def _draw_box(canvas: np.ndarray, box: np.ndarray, name: str, color: tuple[int, int, int]) -> None:
    x, y, width, height = (round(value) for value in box.tolist())
    cv2.rectangle(canvas, (x, y), (x + width, y + height), color, 2, cv2.LINE_AA)
    (text_width, text_height), _ = cv2.getTextSize(name, FONT, FONT_SCALE, 1)
    label_width, label_height = text_width + 2 * PADDING, text_height + 2 * PADDING
    top = max(y - label_height, 0)
    cv2.rectangle(canvas, (x, top), (x + label_width, top + label_height), color, -1)
    cv2.putText(
        canvas, name, (x + PADDING, top + label_height - PADDING - 1), FONT, FONT_SCALE, (0, 0, 0), 1, cv2.LINE_AA
    )


def _mask(segmentation: dict | list, height: int, width: int) -> np.ndarray:
    """uint8 (H, W), 0 or 1, of polygons or a run-length encoding."""
    if isinstance(segmentation, list):
        return masks.decode(masks.merge(masks.frPyObjects(segmentation, height, width)))
    if isinstance(segmentation["counts"], list):
        segmentation = masks.frPyObjects(segmentation, height, width)
    return masks.decode(segmentation)
