"""A part of a JPEG to pixels: by igdet's binding to libjpeg-turbo where it was built, else by OpenCV.

Both give exactly the pixels that Pillow gives. OpenCV decodes the whole image for them, and does not notice data that
are damaged in the middle.
"""

import io
from pathlib import Path
from types import ModuleType
from typing import cast

import cv2
import numpy as np

from igdet.formats.images import open_image
from igdet.utils.bindings import load_binding
from igdet.utils.versions import too_old

END_OF_JPEG = b"\xff\xd9"
# Where data end too early, libjpeg reads zeros; these are bits 1, 0, 1, 1, 0, 1, 1, 0, ..., also after each restart.
_MORE_DATA = b"\xb6\xdb\x6d" * 32
_MORE_DATA += b"".join(bytes([0xFF, restart]) + _MORE_DATA for restart in range(0xD0, 0xD8))

# By which libjpeg can bring an image down while it decodes, with OpenCV's flag for it.
_FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
REDUCTIONS = tuple(_FLAGS)

Region = tuple[int, int, int, int]  # top, left, height, width


def _binding() -> tuple[ModuleType | None, str]:
    """Return the compiled module, or None and why it cannot be used, with what to do."""
    binding, missing = load_binding("igdet.data.images._jpeg", Path(__file__).parent)
    return binding, missing and (too_old("the JPEG binding") or missing)


def describe(binding: ModuleType | None, missing: str) -> str:
    """Say for the log what decodes, and why it is not the faster way."""
    if binding:
        return "libjpeg-turbo, only the part that is wanted"
    return f"OpenCV, whole images, because igdet's own faster decoder cannot be used: {missing}"


def _by_libjpeg(data: bytes, part: Region, channel_order: str, reduction: int) -> np.ndarray:
    try:
        return _from_binding(data, part, channel_order, reduction, as_excerpt=True)
    except ValueError:  # progressive, say, or damaged: then it is libjpeg-turbo that judges
        return _from_binding(data, part, channel_order, reduction, as_excerpt=False)


def _from_binding(data: bytes, part: Region, channel_order: str, reduction: int, as_excerpt: bool) -> np.ndarray:
    pixels = cast(ModuleType, _jpeg).decode_part(data, *part, reduction, channel_order == "BGR", as_excerpt)
    return np.frombuffer(pixels, np.uint8).reshape(*part[2:], 3)


def _by_opencv(data: bytes, part: Region, channel_order: str, reduction: int) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS[reduction] | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise ValueError("broken JPEG data")
    top, left, height, width = part
    crop = image[top : top + height, left : left + width]
    return crop if channel_order == "BGR" else cv2.cvtColor(crop, cv2.COLOR_BGR2RGB)


def decode_part(data: bytes, part: Region, channel_order: str, reduction: int = 1) -> np.ndarray:
    """Decode a part of a JPEG.

    Args:
        data: the file's bytes; EXIF orientation is passed over.
        part: in pixels of the image after `reduction`, all of it inside.
        channel_order: "RGB" or "BGR".
        reduction: one of `REDUCTIONS`: 2 halves both sides of the image, rounded up.

    Returns:
        uint8 (height, width, 3).

    Raises:
        ValueError: the file cannot be decoded up to the part's end.
    """
    return _decode(data, part, channel_order, reduction)


def check_whole(data: bytes) -> None:
    """Refuse a JPEG whose data end before its last pixel, even where it ends as a JPEG does.

    Args:
        data: the file's bytes, which end with `END_OF_JPEG`.

    Raises:
        ValueError: the data end too early or, where libjpeg-turbo decodes, are damaged elsewhere.
        OSError: likewise.
    """
    _check(data)


def _check_by_libjpeg(data: bytes) -> None:
    with open_image(io.BytesIO(data)) as image:
        _by_libjpeg(data, (0, 0, image.height, image.width), "RGB", 1)


def _check_by_pillow(data: bytes) -> None:
    """Pillow says nothing of missing data either, but where data are missing, more of them change the pixels."""
    extended = data.removesuffix(END_OF_JPEG) + _MORE_DATA + END_OF_JPEG
    if _pillow_bytes(data) != _pillow_bytes(extended):
        raise ValueError("JPEG data end before the last pixel")


def _pillow_bytes(data: bytes) -> bytes:
    with open_image(io.BytesIO(data)) as image:
        return image.tobytes()


_jpeg, _missing = _binding()
_decode, _check = (_by_libjpeg, _check_by_libjpeg) if _jpeg else (_by_opencv, _check_by_pillow)
DECODER = describe(_jpeg, _missing)
