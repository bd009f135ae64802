"""Stripping JPEG files: the pixels stay, everything else goes."""

import io

import numpy as np
import pytest
from PIL import Image

from igdet.curation.images.jpeg import JpegError, strip_metadata

from .conftest import SECRETS


def decode(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def encode(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"optimize": True}, {"subsampling": 0}, {"restart_marker_blocks": 2}, {"quality": 100}],
)
def test_pixels_stay_and_secrets_go(secret_jpeg, options):
    data = secret_jpeg(**options)
    assert all(secret in data for secret in SECRETS)
    stripped = strip_metadata(data)
    np.testing.assert_array_equal(decode(stripped), decode(data))
    assert not any(secret in stripped for secret in SECRETS)
    assert stripped.endswith(b"\xff\xd9") and strip_metadata(stripped) == stripped


def test_grey_and_cmyk_keep_how_their_colours_are_coded(pixels):
    for image in (pixels[:, :, 0], np.asarray(Image.fromarray(pixels).convert("CMYK"))):
        data = encode(image) if image.ndim == 2 else _cmyk(image)
        np.testing.assert_array_equal(decode(strip_metadata(data)), decode(data))


def _cmyk(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels, "CMYK").save(file, "JPEG")
    return file.getvalue()


def test_the_thumbnail_of_jfif_goes(pixels):
    data = encode(pixels)
    assert data[2:11] == b"\xff\xe0\x00\x10JFIF\0"
    with_thumbnail = data[:4] + (16 + 3).to_bytes(2, "big") + data[6:18] + b"\x01\x01" + b"RGB" + data[20:]
    assert decode(with_thumbnail).shape == pixels.shape and strip_metadata(with_thumbnail) == strip_metadata(data)


def test_fill_bytes_before_a_marker_are_allowed(pixels):
    data = encode(pixels)
    assert strip_metadata(data[:2] + b"\xff\xff" + data[2:]) == strip_metadata(data)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"", "no start"),
        (lambda data: data[1:], "no start"),
        (lambda data: data[:2] + b"x" + data[2:], "no marker at byte 2"),
        (lambda data: data[:4], "has no length"),
        (lambda data: data[:40], "has no length"),
        (lambda data: data[:4] + b"\0\1" + data[6:], "has no length"),
        (lambda data: data[:-2], "does not end"),
    ],
)
def test_broken_chains_are_refused(pixels, damage, message):
    with pytest.raises(JpegError, match=message):
        strip_metadata(damage(encode(pixels)))
