"""Tests of the classification transforms, against torchvision's."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms as tv

from igdet.data.transforms import TestTransform, TrainTransform, sample_crop

SCALE, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)


def random_picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(300, 400), (97, 64), (64, 64), (40, 500)])
@pytest.mark.parametrize(("short_side", "crop"), [(256, 224), (72, 64), (64, 64), (33, 20)])
def test_evaluation_gives_torchvisions_pixels(size, short_side, crop):
    picture = random_picture(*size)
    theirs = tv.Compose([tv.Resize(short_side), tv.CenterCrop(crop)])(Image.fromarray(picture))
    np.testing.assert_array_equal(TestTransform(short_side, crop)(picture), np.asarray(theirs))


def test_training_resizes_the_crop_as_torchvision_does():
    picture = random_picture(120, 90)
    top, left, height, width = sample_crop(120, 90, SCALE, RATIO, np.random.default_rng(5))
    theirs = tv.functional.resized_crop(Image.fromarray(picture), top, left, height, width, [32, 32])
    ours = TrainTransform(32, SCALE, RATIO, flip=0.0)(picture, np.random.default_rng(5))
    np.testing.assert_array_equal(ours, np.asarray(theirs))


def test_the_flip_mirrors_the_picture():
    picture = random_picture(50, 60)
    plain, flipped = (TrainTransform(16, SCALE, RATIO, flip)(picture, np.random.default_rng(2)) for flip in (0.0, 1.0))
    np.testing.assert_array_equal(flipped, plain[:, ::-1])


def test_half_of_the_pictures_are_flipped():
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[:, :2] = 255
    rng = np.random.default_rng(0)
    transform = TrainTransform(4, (1.0, 1.0), (1.0, 1.0), flip=0.5)
    flipped = sum(transform(picture, rng)[0, 0, 0] == 0 for _ in range(1000))
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
def test_a_picture_in_which_no_crop_fits_gives_its_centre(size, expected):
    # The whole area in an allowed ratio never fits in a picture of ratio 10; in one pixel only itself does.
    assert sample_crop(*size, (1.0, 1.0), RATIO, np.random.default_rng(0)) == expected
    assert tv.RandomResizedCrop.get_params(torch.zeros(3, *size), [1.0, 1.0], list(RATIO)) == expected


def test_tiny_pictures_can_be_cropped():
    rng = np.random.default_rng(0)
    for size in ((1, 1), (1, 7), (2, 3)):
        assert TrainTransform(8, SCALE, RATIO, 0.5)(random_picture(*size), rng).shape == (8, 8, 3)
