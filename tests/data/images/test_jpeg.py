"""Tests of decoding parts of JPEGs, against Pillow's decoding of the whole."""

import io
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from igdet.data.images import jpeg
from igdet.utils import versions

FACTORS = {
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "4:4:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    "4:1:1": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
    "grey": None,
}
BLOCK = 16  # pixels: side of the largest block that is decoded at once, but for 4:1:1, where it is 32 wide


@pytest.fixture(params=["libjpeg", "opencv"])
def decode_part(request):
    """Each of the two ways; the function that the package would choose is one of them."""
    if request.param == "libjpeg" and not jpeg._jpeg:
        pytest.skip(jpeg.DECODER)
    return {"libjpeg": jpeg._by_libjpeg, "opencv": jpeg._by_opencv}[request.param]


@pytest.fixture(params=["libjpeg", "pillow"])
def check_whole(request):
    """Each of the two ways; the function that the package would choose is one of them."""
    if request.param == "libjpeg" and not jpeg._jpeg:
        pytest.skip(jpeg.DECODER)
    return {"libjpeg": jpeg._check_by_libjpeg, "pillow": jpeg._check_by_pillow}[request.param]


def encode(pixels: np.ndarray, chroma: str, progressive=False, restart=0, quality=90) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    options += [cv2.IMWRITE_JPEG_RST_INTERVAL, restart]
    if chroma == "grey":
        pixels = pixels[:, :, 0]
    else:
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, FACTORS[chroma]]
    return cv2.imencode(".jpg", pixels, options)[1].tobytes()


def pillow_rgb(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def grating(height: int, width: int) -> np.ndarray:
    """Columns that alternate in brightness and, every third, in colour."""
    row = np.zeros((width, 3), np.uint8)
    row[::2], row[::3, 0] = 255, 128
    return np.repeat(row[None], height, axis=0)


def bright_pixel(height: int, width: int) -> np.ndarray:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[height // 2, width // 2] = (255, 30, 200)
    return pixels


def parts_at_borders(height: int, width: int) -> list[tuple[int, int, int, int]]:
    """The whole, each corner, each side, one pixel in each corner, and edges on, before and after those of blocks."""
    spans = {
        side: [(0, size), (0, 1), (size - 1, 1), (0, size // 2), (size // 2, size - size // 2)]
        + [(start, 3) for edge in range(BLOCK, size - 3, BLOCK) for start in (edge - 1, edge, edge + 1)]
        for side, size in (("rows", height), ("columns", width))
    }
    return [(top, left, rows, columns) for top, rows in spans["rows"] for left, columns in spans["columns"]]


@pytest.mark.parametrize("image", [noise, grating, bright_pixel])
@pytest.mark.parametrize("chroma", FACTORS)
def test_parts_at_all_borders_have_pillows_pixels(decode_part, chroma, image):
    data = encode(image(45, 71), chroma)
    whole = pillow_rgb(data)
    for top, left, height, width in parts_at_borders(45, 71):
        part = decode_part(data, (top, left, height, width), "RGB", 1)
        np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


@pytest.mark.parametrize("seed", range(20))
def test_any_part_of_any_jpeg_has_pillows_pixels(decode_part, seed):
    rng = np.random.default_rng(seed)
    for _ in range(20):
        size = rng.integers(1, [rng.choice([4, 20, 90, 300])] * 2)
        restart = int(rng.choice([0, 1, 5]))
        data = encode(noise(*size, seed), rng.choice(list(FACTORS)), rng.random() < 0.3, restart, rng.integers(5, 101))
        height, width = rng.integers(1, size + 1)
        top, left = rng.integers(0, size - (height, width) + 1)
        whole = pillow_rgb(data)
        part = decode_part(data, (int(top), int(left), int(height), int(width)), "RGB", 1)
        np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


@pytest.mark.parametrize("reduction", [2, 4, 8])
@pytest.mark.parametrize("chroma", FACTORS)
def test_reduced_parts_have_the_pixels_of_pillows_reduced_whole(decode_part, chroma, reduction):
    data = encode(noise(149, 203), chroma)
    reduced = Image.open(io.BytesIO(data))
    reduced.draft("RGB", (203 // reduction, 149 // reduction))
    whole = np.asarray(reduced.convert("RGB"))
    assert whole.shape[:2] == (-(-149 // reduction), -(-203 // reduction))  # rounded up
    for top, left, height, width in ((0, 0, *whole.shape[:2]), (3, 5, 7, 11), (whole.shape[0] - 4, 2, 4, 3)):
        part = decode_part(data, (top, left, height, width), "RGB", reduction)
        np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


def test_real_images_have_pillows_pixels(decode_part, real_data):
    rng = np.random.default_rng(0)
    files = sorted((real_data / "coco/val2017").glob("*.jpg"))[:30]
    assert files
    for file in files:
        data = file.read_bytes()
        whole = pillow_rgb(data)
        top, left = (int(rng.integers(0, size // 2)) for size in whole.shape[:2])
        height, width = whole.shape[0] // 2, whole.shape[1] // 3
        part = decode_part(data, (top, left, height, width), "RGB", 1)
        np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


def test_channel_orders(decode_part):
    data = encode(noise(20, 30), "4:2:0")
    rgb, bgr = (decode_part(data, (3, 4, 10, 12), order, 1) for order in ("RGB", "BGR"))
    np.testing.assert_array_equal(rgb, bgr[:, :, ::-1])


def test_what_is_no_jpeg_is_refused(decode_part):
    for data in (b"\xff\xd8", b"<html>", encode(noise(40, 40), "4:2:0")[:100]):
        with pytest.raises(ValueError):
            decode_part(data, (0, 0, 1, 1), "RGB", 1)


@pytest.fixture
def binding():
    """The compiled module."""
    if not jpeg._jpeg:
        pytest.skip(jpeg.DECODER)
    return jpeg._jpeg


@pytest.mark.parametrize("progressive", [False, True])
def test_damage_is_noticed_where_it_would_be_seen(binding, progressive):
    data = encode(noise(160, 160), "4:2:0", progressive)
    cut = data[: len(data) // 2] + b"\xff\xd9"  # ends as a whole file does
    with pytest.raises(ValueError, match=r"[Cc]orrupt|[Pp]remature|[Ii]nconsistent"):
        jpeg._by_libjpeg(cut, (0, 0, 160, 160), "RGB", 1)
    if not progressive:  # rows come one after the other
        above = jpeg._by_libjpeg(cut, (0, 0, 32, 160), "RGB", 1)
        np.testing.assert_array_equal(above, pillow_rgb(data)[:32])


def test_bytes_between_the_parts_of_a_file_are_no_damage(binding):
    data = encode(noise(40, 40), "4:2:0")
    odd = data[:-2] + b"\0\0\0" + data[-2:]
    np.testing.assert_array_equal(jpeg._by_libjpeg(odd, (0, 0, 40, 40), "RGB", 1), pillow_rgb(data))


@pytest.mark.parametrize(
    "part",
    [(0, 0, 41, 1), (0, 0, 1, 51), (40, 0, 1, 1), (0, 50, 1, 1), (2**32 - 1, 0, 2, 2), (2**31, 2**31, 2**31, 1)],
)
def test_a_part_that_leads_out_of_the_image_is_refused(binding, part):
    with pytest.raises(ValueError, match="crop"):
        jpeg._by_libjpeg(encode(noise(40, 50), "4:2:0"), part, "RGB", 1)


def test_without_the_binding_the_log_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "igdet.data.images._jpeg", None)
    monkeypatch.setattr(versions, "version", {"torchvision": "0.21.0"}.__getitem__)
    found, why = jpeg._binding()
    assert found is None
    assert "_jpeg" in why
    assert "libjpeg62-turbo-dev" in jpeg.describe(found, why)


def test_a_torchvision_that_is_too_old_for_the_binding_is_the_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "igdet.data.images._jpeg", None)
    monkeypatch.setattr(versions, "version", {"torchvision": "0.20.1+cpu"}.__getitem__)
    why = jpeg._binding()[1]
    assert why.startswith("the JPEG binding needs torchvision 0.21 or later, this is 0.20.1+cpu: ")
    assert "libjpeg62-turbo-dev" not in why


def test_a_binding_built_from_an_older_source_is_not_used(binding, monkeypatch):
    monkeypatch.setattr(binding, "SOURCE", "0" * 64)
    found, why = jpeg._binding()
    assert found is None
    assert "another version of its source" in why


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart": 1}], ids=str)
@pytest.mark.parametrize("chroma", ["grey", "4:2:0", "4:4:4"])
def test_a_jpeg_without_its_last_bytes_is_found_though_it_ends_like_a_whole_one(check_whole, chroma, options):
    for seed in range(3):
        data = encode(noise(40, 50, seed), chroma, **options)
        check_whole(data)
        for missing in (2, 3, 10, 100, 500):
            with pytest.raises((ValueError, OSError)):
                check_whole(data[: -2 - missing] + jpeg.END_OF_JPEG)


def test_data_beside_the_images_own_are_no_damage(check_whole):
    """Filling before the end, a comment in the header, and an image of one colour."""
    whole = encode(noise(40, 50), "4:2:0")
    check_whole(whole[:-2] + bytes(20) + jpeg.END_OF_JPEG)
    check_whole(whole[:2] + b"\xff\xfe\x00\x06cats" + whole[2:])
    check_whole(encode(np.full((40, 50, 3), 200, np.uint8), "4:2:0"))
