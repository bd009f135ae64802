"""Draws annotations and predictions: boxes with names, masks, keypoints, class names."""

import base64
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as masks

from igdet.formats.images import open_image, to_rgb

# The longer side of a drawn image, pixels.
SIDE = 320
# BGR, one a category in turn; light enough to be seen on dark images.
COLORS = [(80, 200, 255), (255, 170, 60), (110, 230, 110), (200, 130, 255), (90, 120, 255), (230, 230, 90)]
ANSWER_COLORS = {None: (230, 230, 230), True: (110, 230, 110), False: (120, 140, 255)}  # BGR: the truth, right, wrong
FONT, FONT_SCALE, PADDING = cv2.FONT_HERSHEY_SIMPLEX, 0.42, 3


def read_pixels(path: Path) -> np.ndarray:
    """Read an image to draw on, uint8 (H, W, 3) BGR; plain grey, as evaluation shows it, where it cannot be read."""
    try:
        with path.open("rb") as file, open_image(file) as image:
            return np.ascontiguousarray(to_rgb(image)[:, :, ::-1])
    except Exception:  # decoders raise whatever their file format's code happens to raise
        return np.full((SIDE, SIDE, 3), 128, np.uint8)


def draw(image: np.ndarray, items: Sequence[dict], names: dict[int, str]) -> np.ndarray:
    """Draw COCO annotations or predictions.

    Args:
        image: uint8 (H, W, 3), BGR.
        items: dicts with "bbox" (x, y, width, height) and "category_id", perhaps "segmentation" or "keypoints".
        names: category id -> name.

    Returns:
        uint8 (H', W', 3) whose longer side is `SIDE`.
    """
    canvas, scale = _canvas(image)
    for item in items:
        color = COLORS[item["category_id"] % len(COLORS)]
        if item.get("segmentation"):
            _draw_mask(canvas, _mask(item["segmentation"], *image.shape[:2]), color)
        if item.get("keypoints"):
            _draw_keypoints(canvas, np.reshape(item["keypoints"], (-1, 3)), scale, color)
        _draw_box(canvas, np.multiply(item["bbox"], scale), names[item["category_id"]], color)
    return canvas


def draw_answer(image: np.ndarray, text: str, is_right: bool | None) -> np.ndarray:
    """Draw a classifier's answer.

    Args:
        image: uint8 (H, W, 3), BGR.
        text: the answer.
        is_right: decides the colour of the answer; None for the truth itself.

    Returns:
        uint8 (H', W', 3) whose longer side is `SIDE`.
    """
    canvas, _ = _canvas(image)
    _draw_name(canvas, text, (0, 0), ANSWER_COLORS[is_right])
    return canvas


def data_uri(image: np.ndarray) -> str:
    """An image, uint8 (H, W, 3) BGR, as the JPEG data URI that a page without files needs."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 88])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def _canvas(image: np.ndarray) -> tuple[np.ndarray, float]:
    """The image resized so that its longer side is `SIDE`, and the factor."""
    scale = SIDE / max(image.shape[:2])
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=method), scale


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
    _draw_name(canvas, name, (x, y), color)


def _draw_name(canvas: np.ndarray, name: str, corner: tuple[int, int], color: tuple[int, int, int]) -> None:
    """Write a name on its colour above a point, or below it where there is no room above; the whole name is seen."""
    (text_width, text_height), _ = cv2.getTextSize(name, FONT, FONT_SCALE, 1)
    label_width, label_height = text_width + 2 * PADDING, text_height + 2 * PADDING
    left, top = max(min(corner[0], canvas.shape[1] - label_width - 1), 0), max(corner[1] - label_height, 0)
    cv2.rectangle(canvas, (left, top), (left + label_width, top + label_height), color, -1)
    origin = left + PADDING, top + label_height - PADDING - 1
    cv2.putText(canvas, name, origin, FONT, FONT_SCALE, (0, 0, 0), 1, cv2.LINE_AA)


def _mask(segmentation: dict | list, height: int, width: int) -> np.ndarray:
    """uint8 (H, W), 0 or 1, of polygons or a run-length encoding."""
    if isinstance(segmentation, list):
        return masks.decode(masks.merge(masks.frPyObjects(segmentation, height, width)))
    if isinstance(segmentation["counts"], list):
        segmentation = masks.frPyObjects(segmentation, height, width)
    return masks.decode(segmentation)
