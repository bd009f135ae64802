"""Restart markers: pixels stay bit by bit, files hardly grow, and what cannot be coded again is kept as it is."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from igdet.curation.images import CleanSettings, clean_image, restarts
from igdet.curation.images.jpeg import has_restarts
from igdet.curation.images.restarts import add_restarts
from igdet.utils.yaml import ConfigError

needs_binding = pytest.mark.skipif(restarts._binding is None, reason=restarts._missing)


def encode(image: Image.Image, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def photo(height: int, width: int, mode: str = "RGB") -> Image.Image:
    """Return blurred noise, which takes about as many bytes as a photo."""
    pixels = np.random.default_rng(0).normal(128, 60, (height, width)).clip(0, 255).astype(np.uint8)
    bands = [Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)) for radius in (1, 3, 8)]
    return Image.merge("RGB", bands).convert(mode)


def decode(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def interval(data: bytes) -> int:
    """Return how many MCUs lie between markers."""
    at = data.index(b"\xff\xdd\x00\x04") + 4
    return int.from_bytes(data[at : at + 2], "big")


@needs_binding
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"optimize": True, "subsampling": 0},
        {"subsampling": 1, "quality": 5},
        {"restart_marker_blocks": 7},
        {"keep_rgb": True},
    ],
    ids=str,
)
def test_pixels_stay(mode, options):
    for height, width in ((1, 1), (50, 71), (160, 320)):
        data = encode(photo(height, width, mode), **options)
        restarted = add_restarts(data)
        assert has_restarts(restarted)
        assert not Image.open(io.BytesIO(restarted)).info.get("progressive")
        np.testing.assert_array_equal(decode(restarted), decode(data))


@needs_binding
@pytest.mark.parametrize(
    ("width", "options", "expected"),
    [
        (640, {}, 2),  # 40 MCUs of 16 x 16 pixels: 4 + 1 + 1 blocks
        (640, {"subsampling": 0}, 4),  # 80 of 3 blocks
        (640, {"mode": "L"}, 16),  # 80 of 1 block; 12 to 15 do not divide them
        (500, {}, 2),  # 32, the last of which is partly empty
        (427, {}, 3),  # 27 = 3 * 9
        (464, {}, 29),  # a prime number
        (10, {}, 1),  # less than 12 blocks
    ],
)
def test_an_interval_is_the_smallest_part_of_a_row_of_at_least_twelve_blocks(width, options, expected):
    options = dict(options)
    data = encode(photo(40, width, options.pop("mode", "RGB")), **options)
    assert interval(add_restarts(data)) == expected


@needs_binding
@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"subsampling": 0, "optimize": True}], ids=str)
def test_files_grow_by_no_more_than_three_percent(options):
    data = encode(photo(480, 640), quality=90, **options)
    assert len(add_restarts(data)) < 1.03 * len(data)


@needs_binding
def test_bytes_before_the_end_are_no_damage():
    data = encode(photo(40, 40))
    assert add_restarts(data[:-2] + bytes(20) + data[-2:]) == add_restarts(data)


@needs_binding
def test_what_is_damaged_is_not_coded_again():
    data = encode(photo(40, 40))
    assert add_restarts(data[: len(data) // 2]) is None
    assert add_restarts(b"") is None
    cut = data[:-100] + data[-2:]  # which Pillow decodes all the same
    assert add_restarts(cut) is None
    cleaned = clean_image(cut, CleanSettings(restart_markers=True))
    assert cleaned == clean_image(cut, CleanSettings())
    assert not has_restarts(cleaned)


@needs_binding
@pytest.mark.parametrize("max_side", [0, 32])
def test_cleaning_adds_markers_to_all_images(secret_jpeg, secret_png, max_side):
    for data in (secret_jpeg(), secret_jpeg(6), secret_png):
        without, cleaned = (
            clean_image(data, CleanSettings(max_side, restart_markers=asked)) for asked in (False, True)
        )
        assert has_restarts(cleaned) and not has_restarts(without)
        np.testing.assert_array_equal(decode(cleaned), decode(without))


def test_without_the_binding_markers_cannot_be_asked_for(monkeypatch):
    monkeypatch.setattr(restarts, "_binding", None)
    monkeypatch.setattr(restarts, "_missing", "it was not built; install a compiler")
    CleanSettings()
    with pytest.raises(ConfigError, match=r"restart_markers needs .*: it was not built; .* or set it to false"):
        CleanSettings(restart_markers=True)


@pytest.mark.parametrize(
    ("options", "expected"), [({}, False), ({"restart_marker_rows": 1}, True), ({"restart_marker_blocks": 1}, True)]
)
def test_files_say_whether_they_have_markers(options, expected):
    assert has_restarts(encode(photo(20, 30), **options)) == expected


@needs_binding
def test_an_image_with_components_that_no_scan_has_is_kept_as_it_is():
    data = encode(photo(64, 64, "L"))
    at = data.index(b"\xff\xc0")
    components = bytes([3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    odd = data[:at] + b"\xff\xc0" + (17).to_bytes(2, "big") + data[at + 4 : at + 9] + components + data[at + 13 :]
    assert clean_image(odd, CleanSettings(restart_markers=True)) == clean_image(odd, CleanSettings())
