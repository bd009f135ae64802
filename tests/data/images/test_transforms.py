"""Tests of the classification transforms, against torchvision's."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms as tv

from igdet.data.images.decoding import DecodedImage, open_croppable
from igdet.data.images.transforms import TestTransform, TrainTransform, sample_crop

SCALE, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)


def random_image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)


def jpeg(pixels: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", **options)
    return file.getvalue()


def assert_close(ours: np.ndarray, theirs: Image.Image) -> None:
    """No value differs by more than one level, and on the average hardly any does."""
    difference = np.abs(ours.astype(int) - np.asarray(theirs))
    assert ours.shape == np.asarray(theirs).shape
    assert difference.max() <= 1
    assert difference.mean() < 0.25


@pytest.mark.parametrize("size", [(300, 400), (97, 64), (64, 64), (40, 500), (255, 257), (1, 1)])
@pytest.mark.parametrize(("short_side", "crop"), [(256, 224), (72, 64), (64, 64), (33, 20)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_evaluation_gives_torchvisions_pixels(size, short_side, crop, interpolation):
    image = random_image(*size)
    resize = tv.Resize(short_side, tv.InterpolationMode(interpolation))
    theirs = tv.Compose([resize, tv.CenterCrop(crop)])(Image.fromarray(image))
    assert_close(TestTransform(short_side, crop, interpolation)(DecodedImage(image)), theirs)


@pytest.mark.parametrize("size", [(300, 400), (97, 64), (40, 500), (255, 257)])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_evaluation_decodes_all_that_torchvisions_pixels_are_made_of(size, subsampling, interpolation):
    data = jpeg(random_image(*size), subsampling=subsampling)
    resize = tv.Resize(40, tv.InterpolationMode(interpolation))
    theirs = tv.Compose([resize, tv.CenterCrop(32)])(Image.open(io.BytesIO(data)))
    assert_close(TestTransform(40, 32, interpolation)(open_croppable(data, "RGB", "")), theirs)


@pytest.mark.parametrize("size", [32, 100, 224])  # smaller than the crop, about as large, larger
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_training_resizes_the_crop_as_torchvision_does(size, interpolation):
    data = jpeg(random_image(120, 90))
    top, left, height, width = sample_crop(120, 90, SCALE, RATIO, np.random.default_rng(5))
    mode = tv.InterpolationMode(interpolation)
    theirs = tv.functional.resized_crop(Image.open(io.BytesIO(data)), top, left, height, width, [size, size], mode)
    transform = TrainTransform(size, SCALE, RATIO, flip=0.0, interpolation=interpolation)
    ours = transform(open_croppable(data, "RGB", ""), np.random.default_rng(5))
    if interpolation == "bilinear":
        assert_close(ours, theirs)
    else:  # overshooting values are rounded twice: of noise, enlarged, one value in 150,000 differs by two levels
        difference = np.abs(ours.astype(int) - np.asarray(theirs))
        assert difference.max() <= 2 and (difference > 1).mean() < 1e-4 and difference.mean() < 0.05


@pytest.mark.parametrize("fast", [False, True])
def test_gratings_and_single_pixels_are_neither_shifted_nor_coloured(fast):
    """Columns of a slow wave, resized, are the wave at the new columns' centres; a bright pixel stays in its place."""
    columns = 127.5 + 100 * np.cos(2 * np.pi * np.arange(400) / 50)
    wave = np.repeat(np.repeat(columns.round().astype(np.uint8)[None, :, None], 400, axis=0), 3, axis=2)
    transform = TrainTransform(100, (1.0, 1.0), (1.0, 1.0), flip=0.0, fast=fast)
    found = transform(open_croppable(jpeg(wave, quality=98), "RGB", ""), np.random.default_rng(0)).astype(float)
    centres = (np.arange(100) + 0.5) * 4 - 0.5  # of the new columns, in old ones
    expected = 127.5 + 100 * np.cos(2 * np.pi * centres / 50)
    assert np.abs(found - expected[None, :, None]).max() < 4  # a shift of half an old pixel would make 6
    assert np.abs(found - found.mean(axis=2, keepdims=True)).max() < 2
    bright = np.zeros((400, 400, 3), np.uint8)
    bright[196:204, 100:108] = 255  # new pixels (49, 25) to (50, 26)
    spot = transform(open_croppable(jpeg(bright, quality=98), "RGB", ""), np.random.default_rng(0)).mean(axis=2)
    rows, columns = (np.average(np.arange(100), weights=spot.sum(axis=axis)) for axis in (1, 0))
    np.testing.assert_allclose((rows, columns), (49.5, 25.5), atol=0.1)


def test_the_fast_mode_is_close_to_the_faithful_one():
    smooth = np.asarray(Image.fromarray(random_image(8, 12)).resize((900, 600), Image.Resampling.BICUBIC))
    data = jpeg(smooth, quality=95)
    faithful, quick = (
        TrainTransform(64, SCALE, RATIO, 0.5, fast)(open_croppable(data, "RGB", ""), np.random.default_rng(3)).astype(
            int
        )
        for fast in (False, True)
    )
    assert np.abs(faithful - quick).mean() < 2


def test_the_flip_mirrors_the_image():
    image = DecodedImage(random_image(50, 60))
    plain, flipped = (TrainTransform(16, SCALE, RATIO, flip)(image, np.random.default_rng(2)) for flip in (0.0, 1.0))
    np.testing.assert_array_equal(flipped, plain[:, ::-1])


def test_half_of_the_images_are_flipped():
    image = np.zeros((4, 4, 3), np.uint8)
    image[:, :2] = 255
    rng = np.random.default_rng(0)
    transform = TrainTransform(4, (1.0, 1.0), (1.0, 1.0), flip=0.5)
    flipped = sum(transform(DecodedImage(image), rng)[0, 0, 0] == 0 for _ in range(1000))
    assert 440 < flipped < 560  # standard deviation 16


@pytest.mark.parametrize("size", [(80, 120), (200, 50)])
def test_crops_follow_torchvisions_law(size):
    """Mean and spread of each number of the crop agree over many draws."""
    rng, count = np.random.default_rng(0), 4000
    ours = np.array([sample_crop(*size, SCALE, RATIO, rng) for _ in range(count)], dtype=float)
    torch.manual_seed(0)
    blank = torch.zeros(3, *size)
    theirs = np.array(
        [tv.RandomResizedCrop.get_params(blank, list(SCALE), list(RATIO)) for _ in range(count)], dtype=float
    )
    standard_error = theirs.std(axis=0) * (2 / count) ** 0.5
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 4 * standard_error).all()
    np.testing.assert_allclose(ours.std(axis=0), theirs.std(axis=0), rtol=0.1)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((100, 1000), (0, 433, 100, 133)),  # widest ratio 4/3: 133 of 1000 columns, from (1000 - 133) // 2
        ((1000, 100), (433, 0, 133, 100)),  # narrowest ratio 3/4: 100 / (3/4) = 133 rows
        ((1, 1), (0, 0, 1, 1)),
    ],
)
def test_a_image_in_which_no_crop_fits_gives_its_centre(size, expected):
    # The whole area in an allowed ratio never fits in an image of ratio 10; in one pixel only itself does.
    assert sample_crop(*size, (1.0, 1.0), RATIO, np.random.default_rng(0)) == expected
    assert tv.RandomResizedCrop.get_params(torch.zeros(3, *size), [1.0, 1.0], list(RATIO)) == expected


def test_tiny_images_can_be_cropped():
    rng = np.random.default_rng(0)
    for size in ((1, 1), (1, 7), (2, 3)):
        for image in (DecodedImage(random_image(*size)), open_croppable(jpeg(random_image(*size)), "RGB", "")):
            assert TrainTransform(8, SCALE, RATIO, 0.5)(image, rng).shape == (8, 8, 3)
            assert TrainTransform(8, SCALE, RATIO, 0.5, fast=True)(image, rng).shape == (8, 8, 3)
