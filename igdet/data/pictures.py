"""Picture files to pixels: 8 bits, three channels, upright, or an error that names the picture."""

import io
from contextlib import contextmanager
from typing import IO

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from igdet.data.errors import RecordError
from igdet.utils.wide_grey import WIDE_MODES, scale_16_bits

ORIENTATION = 274  # the EXIF tag
END_OF_JPEG = b"\xff\xd9"


class PictureError(RecordError):
    """A picture that cannot be decoded faithfully."""


def decode_picture(data: bytes, channel_order: str, name: str) -> np.ndarray:
    """Decode a picture of any format that Pillow reads; of an animation, its first frame.

    EXIF orientation is applied; grey, palette and CMYK pictures become RGB, an alpha channel is dropped, and grey
    pictures of 16 bits are scaled to 8, not clipped.

    Args:
        data: the picture file's bytes.
        channel_order: "RGB" or "BGR".
        name: what to call the picture in an error.

    Returns:
        The pixels, uint8 (H, W, 3).

    Raises:
        PictureError: the bytes are empty, no picture, cut short, of a kind whose range is unknown, or decode to more
            than twice `PIL.Image.MAX_IMAGE_PIXELS` (a decompression bomb).
    """
    with _named_errors(name), _open(io.BytesIO(data)) as picture:
        if _is_plain_jpeg(picture, data):
            bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
            if bgr is None:
                raise OSError("broken JPEG data")
            return bgr if channel_order == "BGR" else cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        rgb = _to_rgb(picture)
    return rgb if channel_order == "RGB" else np.ascontiguousarray(rgb[:, :, ::-1])


def check_eight_bits(file: IO[bytes], name: str) -> None:
    """Refuse, from its header alone, a picture that a plain conversion to RGB would clip or that is a bomb.

    Raises:
        PictureError: more than 8 bits a channel, no picture, or too many pixels.
    """
    with _named_errors(name), _open(file) as picture:
        if picture.mode in WIDE_MODES:
            raise ValueError(f"has more than 8 bits a channel (mode {picture.mode}); convert it to 8 bits")


@contextmanager
def _named_errors(name: str):
    try:
        yield
    except Exception as error:  # decoders raise whatever their file format's code happens to raise
        raise PictureError(name, str(error) or type(error).__name__) from error


def _open(file: IO[bytes]) -> Image.Image:
    """Read the header only; Pillow itself refuses bombs here."""
    try:
        return Image.open(file)
    except UnidentifiedImageError:
        size = file.seek(0, io.SEEK_END)
        raise ValueError(f"is no picture in a known format ({size} bytes)" if size else "is empty (0 bytes)") from None


def _is_plain_jpeg(picture: Image.Image, data: bytes) -> bool:
    """Whether OpenCV, which decodes faster, gives the same pixels as Pillow and cannot hide that the file is cut."""
    return (
        picture.format == "JPEG"
        and picture.mode in ("RGB", "L")
        and data.endswith(END_OF_JPEG)
        and picture.getexif().get(ORIENTATION, 1) == 1
    )


def _to_rgb(picture: Image.Image) -> np.ndarray:
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in WIDE_MODES:
        return np.repeat(scale_16_bits(np.asarray(upright))[:, :, None], 3, axis=2)
    return np.asarray(upright.convert("RGB"))
