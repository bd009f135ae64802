"""Any decoded picture to sRGB of 8 bits, which is what pixels mean once the colour profile is gone."""

import io

import numpy as np
from PIL import Image, ImageCms

from igdet.curation.pictures.errors import PictureError
from igdet.utils.wide_grey import WIDE_MODES, scale_16_bits

_PROFILED_MODES = frozenset({"RGB", "CMYK"})
_SRGB = ImageCms.createProfile("sRGB")


def to_srgb(picture: Image.Image) -> Image.Image:
    """Convert a picture of any mode; an alpha channel is dropped, grey of 16 bits scaled.

    Raises:
        PictureError: pixels of more than 16 bits.
    """
    if picture.mode in WIDE_MODES:
        return _to_eight_bits(picture).convert("RGB")
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


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    grey = np.asarray(picture)
    try:
        return Image.fromarray(scale_16_bits(grey))
    except ValueError as error:
        raise PictureError("unknown_range", str(error)) from error
