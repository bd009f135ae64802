"""Tests of decoding images, whole and broken."""

import io

import numpy as np
import pytest
from PIL import Image

from igdet.data.images import jpeg
from igdet.data.images.decoding import DecodedImage, ImageError, JpegImage, check_eight_bits, open_croppable

PIXELS = np.asarray(
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((64, 48))
)


def encode(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pillow_rgb(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def decode(data: bytes, channel_order: str = "RGB") -> np.ndarray:
    image = open_croppable(data, channel_order, "posts/1.jpg")
    return image.crop(0, 0, image.height, image.width)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 30}, {"restart_marker_rows": 1}]
)
def test_the_fast_path_for_jpeg_gives_pillows_pixels(options):
    data = encode(Image.fromarray(PIXELS), "JPEG", **options)
    np.testing.assert_array_equal(decode(data), pillow_rgb(data))


def test_real_jpegs_on_the_fast_path_give_pillows_pixels(real_data):
    files = sorted((real_data / "coco/val2017").glob("*.jpg"))[:20]
    assert files
    for file in files:
        np.testing.assert_array_equal(decode(file.read_bytes()), pillow_rgb(file.read_bytes()))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_part_of_a_image_is_the_same_part_of_the_whole(kind):
    data = encode(Image.fromarray(PIXELS), kind)
    image = open_croppable(data, "RGB", "")
    assert isinstance(image, {"JPEG": JpegImage, "PNG": DecodedImage}[kind])
    assert (image.height, image.width) == (48, 64)
    np.testing.assert_array_equal(image.crop(7, 9, 30, 21), pillow_rgb(data)[7:37, 9:30])


@pytest.mark.parametrize(("smallest_side", "reduction"), [(None, 1), (21, 1), (20, 2), (10, 4), (5, 8), (1, 8)])
def test_a_part_may_be_brought_down_but_not_below_its_smallest_side(smallest_side, reduction):
    data = encode(Image.fromarray(PIXELS), "JPEG")
    part = open_croppable(data, "RGB", "").crop(3, 5, 40, 50, smallest_side)
    rows, columns = 40 // reduction, 50 // reduction
    assert part.shape[0] == rows
    assert columns <= part.shape[1] <= columns + 1  # both edges rounded


def test_a_part_that_is_brought_down_stays_where_it_is():
    """The mean of what is left of an edge follows the edge to within rounding to a whole pixel of the reduced part."""
    edge = np.zeros((64, 512, 3), np.uint8)
    edge[:, 200:] = 255
    image = open_croppable(encode(Image.fromarray(edge), "JPEG", quality=100), "RGB", "")
    for left in range(0, 64, 3):
        part = image.crop(0, left, 64, 400, 8)
        assert part.shape[:2] == (8, 50)
        dark = 8 * (part < 128)[0, :, 0].sum()  # in pixels of the image
        assert abs(dark - (200 - left)) <= 4  # half of a reduced pixel


def test_channel_orders():
    data = encode(Image.fromarray(PIXELS), "PNG")
    np.testing.assert_array_equal(decode(data), PIXELS)
    np.testing.assert_array_equal(decode(data, "BGR"), PIXELS[:, :, ::-1])
    data = encode(Image.fromarray(PIXELS), "JPEG")
    np.testing.assert_array_equal(decode(data, "BGR")[:, :, ::-1], decode(data))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_grey_becomes_three_equal_channels(kind):
    pixels = decode(encode(Image.fromarray(PIXELS).convert("L"), kind))
    assert pixels.shape == (48, 64, 3)
    np.testing.assert_array_equal(pixels[:, :, 0], pixels[:, :, 2])


@pytest.mark.parametrize("mode", ["P", "RGBA", "LA", "1"])
def test_other_modes_become_rgb(mode):
    image = Image.fromarray(PIXELS).convert(mode)
    np.testing.assert_array_equal(decode(encode(image, "PNG")), np.asarray(image.convert("RGB")))


def test_cmyk_jpeg_has_the_colours_of_the_image():
    flat = Image.new("RGB", (16, 16), (200, 40, 90))
    pixels = decode(encode(flat.convert("CMYK"), "JPEG", quality=100))
    assert np.abs(pixels.astype(int) - (200, 40, 90)).max() <= 4


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(kind):
    grey = np.array([[0, 257, 128 * 257, 65535]], dtype=np.uint16)
    np.testing.assert_array_equal(decode(encode(Image.fromarray(grey), kind))[0, :, 0], [0, 1, 128, 255])


def test_of_an_animation_the_first_frame_counts():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode(data)[0, 0], [255, 0, 0])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    exif = Image.Exif()
    exif[274] = orientation
    upright = {  # where the stored image's top row is when shown, by the EXIF standard
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: p.transpose(1, 0, 2)[:, ::-1],
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: p.transpose(1, 0, 2)[::-1],
    }[orientation]
    data = encode(Image.fromarray(PIXELS), "JPEG", exif=exif)
    np.testing.assert_array_equal(decode(data), upright(pillow_rgb(data)))


def test_bytes_after_the_end_of_a_jpeg_do_no_harm():
    data = encode(Image.fromarray(PIXELS), "JPEG")
    np.testing.assert_array_equal(decode(data + b"appended"), pillow_rgb(data))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF"])
def test_a_image_cut_short_is_refused(kind):
    data = encode(Image.fromarray(PIXELS), kind)
    with pytest.raises(ImageError, match=r"posts/1\.jpg: "):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("data", "why"), [(b"", r"is empty \(0 bytes\)"), (b"<html>404</html>", r"is no image .*\(16 bytes\)")]
)
def test_what_is_no_image_is_refused(data, why):
    with pytest.raises(ImageError, match=rf"posts/1\.jpg: {why}"):
        decode(data)


def test_a_decompression_bomb_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    for kind in ("JPEG", "PNG"):
        with pytest.raises(ImageError, match="bomb"):
            decode(encode(Image.fromarray(PIXELS), kind))


def test_data_damaged_in_the_middle_are_refused_with_the_images_name():
    if not jpeg._jpeg:
        pytest.skip("OpenCV does not notice: " + jpeg.DECODER)
    data = encode(Image.fromarray(PIXELS), "JPEG")
    cut = open_croppable(data[:-100] + b"\xff\xd9", "RGB", "posts/1.jpg")
    with pytest.raises(ImageError, match=r"posts/1\.jpg: Corrupt JPEG data"):
        cut.crop(0, 0, 48, 64)


def test_floating_point_images_are_refused():
    with pytest.raises(ImageError, match="range is unknown"):
        decode(encode(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"))


def test_checking_the_header_finds_what_a_plain_conversion_would_clip():
    wide = encode(Image.fromarray(np.zeros((4, 4), np.uint16)), "PNG")
    with pytest.raises(ImageError, match=r"a\.png: has more than 8 bits"):
        check_eight_bits(io.BytesIO(wide), "a.png")
    check_eight_bits(io.BytesIO(encode(Image.fromarray(PIXELS), "PNG")), "a.png")
