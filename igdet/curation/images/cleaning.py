"""What goes on of an image file: the upright sRGB image as JPEG, and nothing else."""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from igdet.curation.images.jpeg import JpegError, strip_metadata
from igdet.curation.images.limits import ImageError
from igdet.curation.images.restarts import add_restarts, require_binding
from igdet.formats.images import WIDE_MODES, open_image, scale_16_bits
from igdet.utils.yaml import ConfigError

_PROFILED_MODES = frozenset({"RGB", "CMYK"})
_SRGB = ImageCms.createProfile("sRGB")
_JPEG_FORMATS = ("JPEG", "MPO")  # MPO: a JPEG with more images behind it, as phones write
_ORIENTATION = 274  # the EXIF tag
_TURNED = range(2, 9)  # of its values; 1 is upright, others mean nothing
_FASTEST_SIZE = (1, 1)
_REDUCING_GAP = 2.0  # a fast method brings images down to this many times the size wanted, a good one further


def to_srgb(image: Image.Image) -> Image.Image:
    """Convert an image of any mode; an alpha channel is dropped, grey of 16 bits scaled.

    Raises:
        ImageError: pixels of more than 16 bits.
    """
    if image.mode in WIDE_MODES:
        return _to_eight_bits(image).convert("RGB")
    if image.mode not in _PROFILED_MODES:
        image = image.convert("RGB")
    return _apply_profile(image) if changes_colours(image) else image.convert("RGB")


def changes_colours(image: Image.Image) -> bool:
    """Tell whether an image has a colour profile without which its colours would be others."""
    profile = image.info.get("icc_profile")
    return image.mode in _PROFILED_MODES and bool(profile and not _is_srgb(profile))


def _is_srgb(profile: bytes) -> bool:
    try:
        return "sRGB" in ImageCms.getProfileDescription(io.BytesIO(profile))
    except ImageCms.PyCMSError:
        return True  # a broken profile says nothing: viewers take such an image for sRGB


def _apply_profile(image: Image.Image) -> Image.Image:
    try:
        profile = io.BytesIO(image.info["icc_profile"])
        return ImageCms.profileToProfile(image, profile, _SRGB, outputMode="RGB") or image  # None: done in place
    except ImageCms.PyCMSError:
        return image.convert("RGB")  # a profile for another kind of pixels


def _to_eight_bits(image: Image.Image) -> Image.Image:
    grey = np.asarray(image)
    try:
        return Image.fromarray(scale_16_bits(grey))
    except ValueError as error:
        raise ImageError("unknown_range", str(error)) from error


@dataclass(frozen=True)
class CleanSettings:
    """How images are kept.

    Attributes:
        max_side: pixels of the longer side, >= 1, to which larger images are made smaller; 0 keeps every size.
        quality: of JPEG, 1..95, for images that have to be encoded again.
        restart_markers: whether all are coded with restart markers, which keeps their pixels and lets training decode
            crops faster, for a few milliseconds an image.
    """

    max_side: int = 0
    quality: int = 90
    restart_markers: bool = False

    def __post_init__(self) -> None:
        if self.restart_markers:
            require_binding()
        if self.max_side < 0 or not 1 <= self.quality <= 95:
            raise ConfigError(
                f"max_side {self.max_side}, quality {self.quality}: expected max_side >= 1, or 0 for every size, "
                "and quality 1 to 95"
            )


def clean_image(data: bytes, settings: CleanSettings) -> bytes:
    """Drop all metadata of an image, after its orientation and its colour profile have been applied.

    A JPEG that is upright, small enough and in the colours of sRGB or grey keeps its pixels bit by bit. Others are
    encoded again; of an animation the first frame counts. All are decoded, so that damage is found here.

    Args:
        data: an image file.
        settings: how images are kept.

    Returns:
        A JPEG file without EXIF, XMP, comments, thumbnails, colour profile, and whatever followed the image.

    Raises:
        ImageError: the file is damaged, no image or a decompression bomb.
    """
    with _named_errors(data), open_image(io.BytesIO(data)) as image:
        may_stay = _may_stay(image, settings.max_side)
        cleaned = _check_and_strip(image, data, settings) if may_stay else _encode(image, settings)
    return (add_restarts(cleaned) if settings.restart_markers else None) or cleaned


@contextmanager
def _named_errors(data: bytes) -> Iterator[None]:
    try:
        yield
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        reason = "not_an_image" if data else "empty"
        raise ImageError(reason, f"{len(data)} bytes in no known format") from error
    except Image.DecompressionBombError as error:
        raise ImageError("too_many_pixels", str(error)) from error
    except Exception as error:  # decoders raise whatever their file format's code happens to raise
        reason = "cut_short" if "truncated" in str(error).lower() else "undecodable"
        raise ImageError(reason, str(error) or type(error).__name__) from error


def _may_stay(image: Image.Image, max_side: int) -> bool:
    return (
        image.format in _JPEG_FORMATS
        and image.mode in ("RGB", "L")
        and not (max_side and max(image.size) > max_side)
        and image.getexif().get(_ORIENTATION) not in _TURNED
        and not changes_colours(image)
    )


def _check_and_strip(image: Image.Image, data: bytes, settings: CleanSettings) -> bytes:
    try:
        stripped = strip_metadata(data)
    except JpegError:
        return _encode(image, settings)
    image.draft(None, _FASTEST_SIZE)  # reads all coded data, which is what finds damage, and skips most arithmetic
    image.load()
    return stripped


def _encode(image: Image.Image, settings: CleanSettings) -> bytes:
    if settings.max_side:
        scale = _REDUCING_GAP * settings.max_side / max(image.size)
        width, height = (math.ceil(side * scale) for side in image.size)
        image.draft(None, (width, height))  # JPEG: decodes no more than is needed
    rgb = to_srgb(ImageOps.exif_transpose(image))
    if settings.max_side:
        rgb.thumbnail((settings.max_side, settings.max_side), Image.Resampling.LANCZOS, _REDUCING_GAP)
    rgb.info.clear()  # Pillow would write the comment
    encoded = io.BytesIO()
    rgb.save(encoded, "JPEG", quality=settings.quality)
    return encoded.getvalue()
