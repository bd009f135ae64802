"""Label maps: images whose pixels are ids, of classes in one channel or of COCO's panoptic segments in three.

Shapes: H x W pixels.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from igdet.formats.errors import RecordError
from igdet.formats.images import WIDE_MODES, open_image

LARGEST_ID = 255  # a class id is a byte
VOID = 0  # the id of pixels that belong to no panoptic segment
LOSSLESS = ("PNG", "TIFF", "BMP", "GIF", "PPM")
_ONE_CHANNEL = frozenset({"1", "L", "P"}) | WIDE_MODES
_BASE = np.array([1, 256, 256**2], np.int32)  # COCO: id = R + 256 G + 256^2 B


def read_class_ids(path: str | Path) -> np.ndarray:
    """Read the class id of each pixel; of an image with a palette its indices, whatever their colours.

    Returns:
        uint8 (H, W).

    Raises:
        RecordError: there is no such image, its compression may have changed ids, it has several channels, or an id
            above `LARGEST_ID`.
    """
    image = _open(path)
    if image.mode not in _ONE_CHANNEL:
        raise _error(path, f"has the channels {image.mode}: expected one, of class ids")
    ids = np.asarray(image)
    if ids.dtype == bool:
        return ids.astype(np.uint8)
    if ids.min() < 0 or ids.max() > LARGEST_ID:
        raise _error(path, f"has ids from {ids.min()} to {ids.max()}: expected 0 to {LARGEST_ID}")
    return ids.astype(np.uint8)


def check_class_ids(path: str | Path, ids: np.ndarray, num_classes: int, ignore_value: int) -> None:
    """Refuse ids that are no class.

    Args:
        path: where they are from.
        ids: uint8 (H, W).
        num_classes: classes are numbered from 0.
        ignore_value: the id of pixels that do not count.

    Raises:
        RecordError: naming the lowest such id, and its share of the pixels.
    """
    counts = np.bincount(ids.ravel(), minlength=LARGEST_ID + 1)
    unknown = [int(found) for found in np.flatnonzero(counts) if found >= num_classes and found != ignore_value]
    if unknown:
        raise _error(
            path,
            f"has the id {unknown[0]} in {counts[unknown[0]] / ids.size:.1%} of its pixels: expected a class, 0 to "
            f"{num_classes - 1}, or {ignore_value} for what does not count",
        )


def read_segment_ids(path: str | Path) -> np.ndarray:
    """Read the segment of each pixel of a panoptic PNG, as COCO writes it.

    Returns:
        int32 (H, W), `VOID` where there is none.

    Raises:
        RecordError: there is no such image, its compression may have changed ids, or it has not three channels.
    """
    image = _open(path)
    if image.mode != "RGB":
        raise _error(path, f"has the channels {image.mode}: expected RGB, of ids R + 256 G + 256^2 B")
    return np.asarray(image) @ _BASE


def encode_class_ids(ids: np.ndarray) -> bytes:
    """Make the PNG of class ids, uint8 (H, W)."""
    return _png(ids)


def encode_segment_ids(ids: np.ndarray) -> bytes:
    """Make the panoptic PNG of segment ids, integers (H, W), 0 to 256^3 - 1."""
    return _png((ids[:, :, None] // _BASE % 256).astype(np.uint8))  # (H, W, 3)


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _open(path: str | Path) -> Image.Image:
    try:
        with Path(path).open("rb") as file:
            image = open_image(file)
            image.load()
    except FileNotFoundError as error:
        raise _error(path, "is not there") from error
    except Exception as error:  # decoders raise whatever their file format's code happens to raise
        raise _error(path, f"cannot be read: {error}") from error
    if image.format not in LOSSLESS:
        raise _error(path, f"is a {image.format}, whose compression may change ids: expected a PNG")
    return image


def _error(path: str | Path, why: str) -> RecordError:
    return RecordError(str(path), f"its label map {path} {why}")
