"""Image files to pixels: 8 bits, three channels, upright, or an error that names the image."""

import io
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np
from PIL import Image, UnidentifiedImageError

from igdet.data.images.jpeg import END_OF_JPEG, REDUCTIONS, check_whole, decode_part
from igdet.formats.errors import RecordError
from igdet.formats.images import WIDE_MODES, open_image, to_rgb

ORIENTATION = 274  # the EXIF tag


class ImageError(RecordError):
    """An image that cannot be decoded faithfully."""


class CroppableImage(ABC):
    """An upright image of which any part can be had.

    Attributes:
        height, width: in pixels.
    """

    def __init__(self, height: int, width: int):
        self.height = height
        self.width = width

    @abstractmethod
    def crop(self, top: int, left: int, height: int, width: int, smallest_side: int | None = None) -> np.ndarray:
        """Return a part's pixels.

        Args:
            top, left, height, width: the part, in pixels, all of it inside.
            smallest_side: None, or: where that is quicker, the part may be brought down by 2, 4 or 8 to no less than
                this many pixels, its edges rounded to whole ones.

        Returns:
            uint8 (height, width, 3), or smaller, writable.

        Raises:
            ImageError: the file is damaged there.
        """

    def whole(self) -> np.ndarray:
        """Return all pixels, as `crop` does."""
        return self.crop(0, 0, self.height, self.width)

    @abstractmethod
    def check(self) -> None:
        """Look for damage that is not met before pixels are asked for.

        Raises:
            ImageError: the file is damaged somewhere.
        """


class DecodedImage(CroppableImage):
    """An image whose pixels are all at hand, uint8 (H, W, 3)."""

    def __init__(self, pixels: np.ndarray):
        super().__init__(*pixels.shape[:2])
        self._pixels = pixels

    def crop(self, top: int, left: int, height: int, width: int, smallest_side: int | None = None) -> np.ndarray:
        """Cut the part out."""
        return self._pixels[top : top + height, left : left + width]

    def check(self) -> None:
        """Nothing is left to be found."""


class JpegImage(CroppableImage):
    """A JPEG of which only the header has been read; each part is decoded when it is asked for."""

    def __init__(self, data: bytes, height: int, width: int, channel_order: str, name: str):
        super().__init__(height, width)
        self._data = data
        self._channel_order = channel_order
        self._name = name

    def crop(self, top: int, left: int, height: int, width: int, smallest_side: int | None = None) -> np.ndarray:
        """Decode the part."""
        reduction = _reduction(min(height, width), smallest_side)
        edges = (top, left, top + height, left + width)
        top, left, bottom, right = ((edge + reduction // 2) // reduction for edge in edges)
        part = top, left, bottom - top, right - left
        with _named_errors(self._name):
            return decode_part(self._data, part, self._channel_order, reduction)

    def check(self) -> None:
        """Decode all of it."""
        with _named_errors(self._name):
            check_whole(self._data)


def _reduction(side: int, smallest_side: int | None) -> int:
    """Return the largest number by which libjpeg can bring `side` down to no less than `smallest_side`."""
    return max([1, *(by for by in REDUCTIONS if smallest_side and by * smallest_side <= side)])


def open_croppable(data: bytes, channel_order: str, name: str) -> CroppableImage:
    """Open an image in one of `igdet.formats.images.FORMATS`; of an animation, its first frame.

    EXIF orientation is applied; grey, palette and CMYK images become RGB, an alpha channel is dropped, and grey
    images of 16 bits are scaled to 8, not clipped.

    Args:
        data: the image file's bytes.
        channel_order: of the pixels, "RGB" or "BGR".
        name: what to call the image in an error.

    Raises:
        ImageError: the bytes are empty, no image, cut short, of a kind whose range is unknown, or decode to more
            than twice `PIL.Image.MAX_IMAGE_PIXELS` (a decompression bomb).
    """
    with _named_errors(name), _open(io.BytesIO(data)) as image:
        if _is_plain_jpeg(image, data):
            return JpegImage(data, image.height, image.width, channel_order, name)
        rgb = to_rgb(image)
    return DecodedImage(rgb if channel_order == "RGB" else np.ascontiguousarray(rgb[:, :, ::-1]))


def check_eight_bits(file: IO[bytes], name: str) -> None:
    """Refuse, from its header alone, an image that a plain conversion to RGB would clip or that is a bomb.

    Raises:
        ImageError: more than 8 bits a channel, no image, or too many pixels.
    """
    with _named_errors(name), _open(file) as image:
        if image.mode in WIDE_MODES:
            raise ValueError(f"has more than 8 bits a channel (mode {image.mode}); convert it to 8 bits")


@contextmanager
def _named_errors(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # decoders raise whatever their file format's code happens to raise
        raise ImageError(name, str(error) or type(error).__name__) from error


def _open(file: IO[bytes]) -> Image.Image:
    """Read the header only; Pillow itself refuses bombs here."""
    try:
        return open_image(file)
    except UnidentifiedImageError:
        size = file.seek(0, io.SEEK_END)
        raise ValueError(f"is no image in a known format ({size} bytes)" if size else "is empty (0 bytes)") from None


def _is_plain_jpeg(image: Image.Image, data: bytes) -> bool:
    """Whether libjpeg alone, of which parts can be had, gives Pillow's pixels and cannot hide that the file is cut."""
    return (
        image.format == "JPEG"
        and image.mode in ("RGB", "L")
        and data.endswith(END_OF_JPEG)
        and image.getexif().get(ORIENTATION, 1) == 1
    )
