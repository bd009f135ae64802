"""Clean images: upright, small enough, in sRGB, without metadata; or the reason why not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from igdet.curation.images import CleanSettings, ImageError, clean_image
from igdet.utils.yaml import ConfigError

from .conftest import SECRETS

AS_THEY_ARE = CleanSettings(quality=95)


def opened(data):
    image = Image.open(io.BytesIO(data))
    assert image.format == "JPEG"
    return image


def close(found, expected):
    difference = np.abs(np.asarray(found, dtype=int) - np.asarray(expected, dtype=int))
    return np.shape(found) == np.shape(expected) and difference.mean() < 3


def encode(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("orientation", [0, 1, 9])  # those outside 1..8 mean nothing
def test_an_upright_jpeg_keeps_its_pixels(secret_jpeg, orientation):
    data = secret_jpeg(orientation)
    cleaned = clean_image(data, AS_THEY_ARE)
    np.testing.assert_array_equal(opened(cleaned), opened(data))
    assert len(cleaned) < len(data) and not any(secret in cleaned for secret in SECRETS)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("max_side", [0, 32])
def test_orientation_is_applied(secret_jpeg, orientation, max_side):
    data = secret_jpeg(orientation)
    cleaned = opened(clean_image(data, CleanSettings(max_side, 95)))
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if max_side:
        expected.thumbnail((32, 32))
    assert cleaned.size == expected.size and close(cleaned, expected)
    assert not cleaned.getexif() and "comment" not in cleaned.info and "xmp" not in cleaned.info


def test_other_formats_become_clean_jpegs(secret_png, pixels):
    cleaned = clean_image(secret_png, AS_THEY_ARE)
    assert close(opened(cleaned), pixels) and not any(secret in cleaned for secret in SECRETS)


def test_large_images_are_made_smaller_and_small_ones_stay(pixels):
    large = Image.fromarray(pixels).resize((640, 480), Image.Resampling.BICUBIC)
    data = encode(large, "JPEG")
    assert close(opened(clean_image(data, CleanSettings(64))), pixels)
    assert opened(clean_image(data, CleanSettings(640))).size == (640, 480)
    assert opened(clean_image(encode(large, "PNG"), CleanSettings(1000))).size == (640, 480)


@pytest.mark.parametrize(("size", "expected"), [((3000, 2), (30, 1)), ((2, 3000), (1, 30)), ((1, 1), (1, 1))])
def test_thin_images_keep_a_pixel(size, expected):
    assert opened(clean_image(encode(Image.new("RGB", size), "JPEG"), CleanSettings(30))).size == expected


def test_every_mode_becomes_eight_bits_of_rgb(pixels):
    image = Image.fromarray(pixels)
    grey = np.asarray(image.convert("L"))
    assert close(opened(clean_image(encode(image.convert("CMYK"), "JPEG"), AS_THEY_ARE)), pixels)
    assert opened(clean_image(encode(image.convert("P"), "GIF"), AS_THEY_ARE)).mode == "RGB"
    assert close(opened(clean_image(encode(image.convert("RGBA"), "PNG"), AS_THEY_ARE)), pixels)
    wide = Image.fromarray((grey * 257.0).astype(np.uint16))
    assert close(opened(clean_image(encode(wide, "PNG"), AS_THEY_ARE)), np.repeat(grey[:, :, None], 3, axis=2))
    assert opened(clean_image(encode(image.convert("L"), "JPEG"), AS_THEY_ARE)).mode == "L"


def test_of_an_animation_the_first_frame_counts(pixels):
    first, second = Image.fromarray(pixels), Image.fromarray(255 - pixels)
    data = encode(first, "WEBP", save_all=True, append_images=[second], lossless=True)
    assert close(opened(clean_image(data, AS_THEY_ARE)), pixels)


def swapped_profile():
    """Return an RGB profile in which red and blue primaries are swapped."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = data.index(b"rXYZ"), data.index(b"bXYZ")  # in the table of tags, which comes first
    data[red], data[blue] = data[blue], data[red]
    return bytes(data).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def test_a_colour_profile_is_applied_before_it_goes(pixels):
    data = encode(Image.fromarray(pixels), "JPEG", icc_profile=swapped_profile(), quality=95, subsampling=0)
    cleaned = opened(clean_image(data, AS_THEY_ARE))
    assert close(cleaned, pixels[:, :, ::-1]) and "icc_profile" not in cleaned.info


@pytest.mark.parametrize("profile", [ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), b"broken"])
def test_srgb_and_broken_profiles_change_no_pixel(pixels, profile):
    data = encode(Image.fromarray(pixels), "JPEG", icc_profile=profile)
    cleaned = opened(clean_image(data, AS_THEY_ARE))
    np.testing.assert_array_equal(cleaned, opened(data))
    assert "icc_profile" not in cleaned.info


def test_a_jpeg_whose_segments_are_odd_is_encoded_again(pixels, secret_jpeg):
    data = secret_jpeg()
    first_table = data.index(b"\xff\xdb")
    cleaned = clean_image(data[:first_table] + b"xx" + data[first_table:], AS_THEY_ARE)  # decoders skip it
    assert close(opened(cleaned), pixels) and not any(secret in cleaned for secret in SECRETS)


def bomb():
    """Return a PNG of 20,000 x 20,000 pixels of one bit."""
    return encode(Image.new("1", (20_000, 20_000)), "PNG")


@pytest.mark.parametrize("max_side", [0, 16])
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda jpeg, png: b"", "empty"),
        (lambda jpeg, png: b"<html>404</html>", "not_an_image"),
        (lambda jpeg, png: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not_an_image"),
        (lambda jpeg, png: jpeg[: len(jpeg) - 200], "cut_short"),
        (lambda jpeg, png: png[: len(png) // 2], "cut_short"),
        (lambda jpeg, png: bomb(), "too_many_pixels"),
        (lambda jpeg, png: encode(Image.new("F", (8, 8), 0.5), "TIFF"), "unknown_range"),
    ],
)
def test_bad_images_have_a_reason(secret_jpeg, secret_png, damage, reason, max_side):
    with pytest.raises(ImageError) as error:
        clean_image(damage(secret_jpeg(), secret_png), CleanSettings(max_side))
    assert error.value.reason == reason


@pytest.mark.parametrize("settings", [{"max_side": -1}, {"quality": 0}, {"quality": 96}])
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ConfigError, match="expected max_side >= 1"):
        CleanSettings(**settings)
