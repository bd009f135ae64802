"""Any decoded picture to sRGB of 8 bits, which is what pixels mean once the colour profile is gone."""

import io

import numpy as np
from PIL import Image, ImageCms

from igdet.curation.pictures.errors import PictureError

_WIDE_MODES = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N", "F"})  # one channel of more than 8 bits
_RANGE_16_BIT = 65535
_PROFILED_MODES = frozenset({"RGB", "CMYK"})
_SRGB = ImageCms.createProfile("sRGB")


def to_srgb(picture: Image.Image) -> Image.Image:
    """Convert a picture of any mode; an alpha channel is dropped, grey of 16 bits scaled.

    Raises:
        PictureError: pixels of more than 16 bits.
    """
    if picture.mode in _WIDE_MODES:
        return Image.fromarray(_scale_16_bits(np.asarray(picture))).convert("RGB")
    if picture.mode not in _PROFILED_MODES:
        picture = picture.convert("RGB")
    return _apply_profile(picture) if changes_colours(picture) else picture.convert("RGB")


def changes_colours(picture: Image.Image) -> bool:
    """Tell whether a picture has a colour profile without which its colours would be others."""
    profile = picture.info.get("icc_profile")
    return bool(profile) and picture.mode in _PROFILED_MODES and not _is_srgb(profile)


def _is_srgb(profile: bytes) -> bool:
    try:
        return "sRGB" in ImageCms.getProfileDescription(io.BytesIO(profile))
    except ImageCms.PyCMSError:
        return True  # a broken profile says nothing: viewers take such a picture for sRGB


def _apply_profile(picture: Image.Image) -> Image.Image:
    try:
        profile = io.BytesIO(picture.info["icc_profile"])
        return ImageCms.profileToProfile(picture, profile, _SRGB, outputMode="RGB")
    except ImageCms.PyCMSError:
        return picture.convert("RGB")  # a profile for another kind of pixels


def _scale_16_bits(grey: np.ndarray) -> np.ndarray:
    """Scale 0..65535 to 0..255."""
    if grey.dtype.kind == "f" or grey.min() < 0 or grey.max() > _RANGE_16_BIT:
        raise PictureError("unknown_range", "pixels outside 0..65535; convert it to 8 bits")
    return np.round(grey / (_RANGE_16_BIT / 255)).astype(np.uint8)
