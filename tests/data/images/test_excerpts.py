"""Tests of decoding only those restart intervals of a JPEG that hold a part of it, against Pillow and libjpeg-turbo."""

import io
import re

import cv2
import numpy as np
import pytest
from PIL import Image

from igdet.data.images import jpeg

from .test_jpeg import FACTORS, bright_pixel, encode, grating, noise, parts_at_borders, pillow_rgb

HEIGHT, WIDTH = 45, 71
MCUS = {"4:4:4": 9, "4:2:2": 5, "4:2:0": 5, "4:4:0": 9, "4:1:1": 3, "grey": 9}  # of a row of WIDTH pixels
UNALIGNED = 7  # MCUs: neither rows nor parts of one
_MARKER = re.compile(rb"\xff[\xd0-\xd9]")


@pytest.fixture(autouse=True)
def _binding():
    if not jpeg._jpeg:
        pytest.skip(jpeg.DECODER)


def excerpt(data: bytes, part: jpeg.Region, reduction: int = 1) -> np.ndarray:
    """Decode the part and nothing else."""
    return jpeg._from_binding(data, part, "RGB", reduction, as_excerpt=True)


def by_libjpeg(data: bytes, part: jpeg.Region, reduction: int = 1) -> np.ndarray:
    """Decode as without restart markers."""
    return jpeg._from_binding(data, part, "RGB", reduction, as_excerpt=False)


def intervals(data: bytes) -> tuple[bytes, list[bytes]]:
    """Split a JPEG into its header and its intervals, each with the marker behind it."""
    start = data.index(b"\xff\xda")
    start += 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    ends = [found.end() for found in _MARKER.finditer(data, start)]
    return data[:start], [data[first:end] for first, end in zip([start, *ends], ends, strict=False)]


@pytest.mark.parametrize("image", [noise, grating, bright_pixel])
@pytest.mark.parametrize("chroma", FACTORS)
def test_excerpts_at_all_borders_have_pillows_pixels(chroma, image):
    for interval in {0, 1, MCUS[chroma], 2 * MCUS[chroma], 100 * MCUS[chroma]}:
        data = encode(image(HEIGHT, WIDTH), chroma, restart=interval)
        whole = pillow_rgb(data)
        for part in parts_at_borders(HEIGHT, WIDTH):
            top, left, height, width = part
            np.testing.assert_array_equal(excerpt(data, part), whole[top : top + height, left : left + width])


@pytest.mark.parametrize("reduction", [2, 4, 8])
@pytest.mark.parametrize("chroma", FACTORS)
def test_reduced_excerpts_have_the_pixels_of_the_reduced_whole(chroma, reduction):
    sides = [-(-side // reduction) for side in (HEIGHT, WIDTH)]
    for interval in (0, 1, MCUS[chroma]):
        data = encode(noise(HEIGHT, WIDTH), chroma, restart=interval)
        whole = by_libjpeg(data, (0, 0, *sides), reduction)
        for top in range(sides[0]):
            for left in range(sides[1]):
                for height, width in {(1, 1), (min(3, sides[0] - top), sides[1] - left)}:
                    part = excerpt(data, (top, left, height, width), reduction)
                    np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


@pytest.mark.parametrize("seed", range(10))
def test_any_excerpt_of_any_jpeg_has_pillows_pixels(seed):
    rng = np.random.default_rng(seed)
    for _ in range(20):
        size = rng.integers(1, [rng.choice([4, 20, 90, 300])] * 2)
        pixels = cv2.GaussianBlur(noise(*size, seed), (0, 0), rng.choice([0.3, 4]))
        data = encode(pixels, rng.choice(list(FACTORS)), restart=int(rng.choice([0, 1])), quality=rng.integers(5, 101))
        height, width = rng.integers(1, size + 1)
        top, left = rng.integers(0, size - (height, width) + 1)
        part = excerpt(data, (int(top), int(left), int(height), int(width)))
        np.testing.assert_array_equal(part, pillow_rgb(data)[top : top + height, left : left + width])


@pytest.mark.parametrize("factors", [0x12, 0x21, 0x22])
@pytest.mark.parametrize("interval", [0, 1, 9])
def test_sampling_factors_of_a_grey_image_mean_nothing(factors, interval):
    data = encode(noise(HEIGHT, WIDTH), "grey", restart=interval)
    frame = data.index(b"\xff\xc0")
    data = data[: frame + 11] + bytes([factors]) + data[frame + 12 :]
    for part in parts_at_borders(HEIGHT, WIDTH):
        np.testing.assert_array_equal(excerpt(data, part), by_libjpeg(data, part))


def test_optimized_tables_and_codes_of_every_length_are_read():
    """A few bright pixels among noise of little contrast make for rare symbols, with codes of up to 16 bits."""
    rng = np.random.default_rng(0)
    pixels = rng.normal(128, 2, (160, 160, 3))
    pixels[rng.random((160, 160)) < 0.002] = 255
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG", quality=97, optimize=True, restart_marker_rows=1)
    data = file.getvalue()
    tables = [data[found.end() + 3 : found.end() + 19] for found in re.finditer(rb"\xff\xc4", data)]
    assert max(max(length for length, count in enumerate(table, 1) if count) for table in tables) > 12
    np.testing.assert_array_equal(excerpt(data, (0, 0, 160, 160)), pillow_rgb(data))


@pytest.mark.parametrize(
    "data",
    [
        encode(noise(HEIGHT, WIDTH), "4:2:0", progressive=True),
        encode(noise(HEIGHT, WIDTH), "4:2:0", restart=UNALIGNED),
    ],
    ids=["progressive", "unaligned"],
)
def test_jpegs_of_which_there_are_no_excerpts_are_decoded_all_the_same(data):
    with pytest.raises(ValueError):
        excerpt(data, (3, 5, 20, 30))
    part = by_whichever(data, (3, 5, 20, 30))
    np.testing.assert_array_equal(part, pillow_rgb(data)[3:23, 5:35])


def test_what_lies_outside_is_not_even_looked_at():
    """Intervals of a row of 16 pixels, 5 of them: rows 34 to 43 take the third and no other."""
    data = encode(noise(80, WIDTH), "4:2:0", restart=5)
    header, found = intervals(data)
    damaged = header + b"".join(piece if number == 2 else piece[-2:] for number, piece in enumerate(found))
    np.testing.assert_array_equal(excerpt(damaged, (34, 0, 10, WIDTH)), pillow_rgb(data)[34:44])
    for rows in ((33, 10), (34, 13)):  # chroma between two rows of intervals is interpolated from both
        with pytest.raises(ValueError):
            excerpt(damaged, (rows[0], 0, rows[1], WIDTH))


def outcome(decode, data: bytes, part: jpeg.Region) -> bytes | str:
    """Return the pixels, or the message."""
    try:
        return decode(data, part).tobytes()
    except ValueError as error:
        return str(error)


def by_whichever(data: bytes, part: jpeg.Region) -> np.ndarray:
    """Decode as the package does."""
    return jpeg._by_libjpeg(data, part, "RGB", 1)


@pytest.mark.parametrize(
    "damage",
    {
        "a marker left out": lambda found: [found[0], found[1][:-2], *found[2:]],
        "an interval left out": lambda found: [found[0], *found[2:]],
        "an interval twice": lambda found: [found[0], *found],
        "two swapped": lambda found: [found[1], found[0], *found[2:]],
        "a name that is not next": lambda found: [found[0][:-1] + b"\xd5", *found[1:]],
        "a marker too many": lambda found: [found[0] + b"\xff\xd0", *found[1:]],
        "the end too early": lambda found: [*found[:2], b"\xff\xd9"],
        "no end": lambda found: [*found[:-1], found[-1][:-2]],
        "another segment": lambda found: [found[0], b"\xff\xfe\x00\x04ab", *found[1:]],
        "fill bytes": lambda found: [found[0][:-2] + b"\xff" + found[0][-2:], *found[1:]],
        "data cut short": lambda found: [found[0][: len(found[0]) // 2] + b"\xff\xd0", *found[1:]],
        "data too long": lambda found: [found[0][:-2] + bytes(20) + b"\xff\xd0", *found[1:]],
        "a cut": lambda found: [found[0], found[1][:30]],
    }.items(),
    ids=lambda case: case[0],
)
def test_damaged_markers_and_data_are_for_libjpeg_turbo_to_judge(damage):
    header, found = intervals(encode(noise(HEIGHT, WIDTH), "4:2:0", restart=5))
    assert len(found) == 3
    data = header + b"".join(damage[1](found))
    for part in ((0, 0, HEIGHT, WIDTH), (0, 0, 20, 20), (10, 50, 35, 21)):
        assert outcome(by_whichever, data, part) == outcome(by_libjpeg, data, part)


def test_values_too_large_for_8_bits_are_for_libjpeg_turbo_to_judge():
    """A Huffman table whose first symbol says 15 bits, where a DC coefficient has 11 at most."""
    data = encode(noise(HEIGHT, WIDTH), "grey", restart=9)
    table = data.index(b"\xff\xc4") + 5 + 16
    damaged = data[:table] + bytes([15] * 12) + data[table + 12 :]
    part = 0, 0, HEIGHT, WIDTH
    with pytest.raises(ValueError):
        excerpt(damaged, part)
    assert outcome(by_whichever, damaged, part) == outcome(by_libjpeg, damaged, part)


def test_more_intervals_than_the_file_has_bytes_are_not_believed():
    data = encode(noise(HEIGHT, WIDTH), "grey", restart=1)
    frame = data.index(b"\xff\xc0")
    huge = data[: frame + 5] + b"\xff\xf0\xff\xf0" + data[frame + 9 :]  # 65,520 x 65,520 pixels
    with pytest.raises(ValueError):
        excerpt(huge, (65_000, 65_000, 10, 10))


def test_a_frame_that_only_a_comment_holds_is_not_taken_for_the_images():
    """Behind a fill byte, which libjpeg passes over, a plain chain of lengths leads into the second comment."""
    data = encode(noise(256, 256), "4:4:4", restart=4)
    frame = data[data.index(b"\xff\xc0") :][:19]
    start = b"\xff\xd8\xff\xff\xfe" + (60_002).to_bytes(2, "big") + b"a" * 60_000
    target = 4 + int.from_bytes(start[4:6], "big")  # where the length that follows "ff ff" leads
    comment = b"b" * (target - len(start) - 4) + frame + b"c" * 100
    odd = start + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:]
    part = (128, 128, 32, 32)
    with pytest.raises(ValueError):
        excerpt(odd, part)
    np.testing.assert_array_equal(jpeg.decode_part(odd, part, "RGB"), by_libjpeg(data, part))
