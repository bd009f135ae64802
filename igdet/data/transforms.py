"""Crops, flips and resizing for classification; resizing is Pillow's antialiased bilinear.

Pillow because its result is exactly that of the transforms with which the published weights were trained and are
evaluated; area averaging is about a quarter faster on the resize alone, a tenth on the whole, and differs.
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

CROP_TRIES = 10


@dataclass(frozen=True)
class TrainTransform:
    """A random-resized crop (Szegedy et al., arXiv 1409.4842) and a random horizontal flip.

    Args:
        size: side of the result in pixels.
        scale: range of the crop's share of the picture's area, 0..1.
        ratio: range of the crop's width / height.
        flip: probability of the flip, 0..1.
    """

    size: int
    scale: tuple[float, float]
    ratio: tuple[float, float]
    flip: float

    def __call__(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Make a training picture.

        Args:
            image: uint8 (H, W, 3).
            rng: the generator of this draw.

        Returns:
            uint8 (size, size, 3).
        """
        top, left, height, width = sample_crop(*image.shape[:2], self.scale, self.ratio, rng)
        crop = Image.fromarray(image[top : top + height, left : left + width])
        pixels = np.asarray(crop.resize((self.size, self.size), Image.Resampling.BILINEAR))
        return pixels[:, ::-1] if rng.random() < self.flip else pixels


def sample_crop(
    height: int, width: int, scale: tuple[float, float], ratio: tuple[float, float], rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Draw a crop: area uniform in `scale`, width / height log-uniform in `ratio`, position uniform.

    Args:
        height, width: the picture's size in pixels.
        scale, ratio: as `TrainTransform` has them.
        rng: the generator of this draw.

    Returns:
        top, left, height, width in pixels; after `CROP_TRIES` crops that did not fit, the largest centre crop whose
        ratio is in the range.
    """
    for _ in range(CROP_TRIES):
        area = height * width * rng.uniform(*scale)
        aspect = math.exp(rng.uniform(math.log(ratio[0]), math.log(ratio[1])))
        crop_width, crop_height = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < crop_width <= width and 0 < crop_height <= height:
            top = int(rng.integers(height - crop_height + 1))
            left = int(rng.integers(width - crop_width + 1))
            return top, left, crop_height, crop_width
    return _centre_crop_of_ratio(height, width, ratio)


def _centre_crop_of_ratio(height: int, width: int, ratio: tuple[float, float]) -> tuple[int, int, int, int]:
    aspect = min(max(width / height, ratio[0]), ratio[1])
    crop_width = min(width, max(1, round(height * aspect)))
    crop_height = min(height, max(1, round(width / aspect)))
    return (height - crop_height) // 2, (width - crop_width) // 2, crop_height, crop_width


@dataclass(frozen=True)
class TestTransform:
    """The centre crop of a picture whose shorter side is resized.

    Args:
        short_side: the shorter side after resizing, in pixels.
        crop: side of the crop in pixels, <= `short_side`.
    """

    __test__ = False  # not a test for pytest to collect

    short_side: int
    crop: int

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Make an evaluation picture: uint8 (H, W, 3) to uint8 (crop, crop, 3)."""
        height, width = image.shape[:2]
        new_height, new_width = (int(self.short_side * side / min(height, width)) for side in (height, width))
        resized = Image.fromarray(image).resize((new_width, new_height), Image.Resampling.BILINEAR)
        top, left = round((new_height - self.crop) / 2), round((new_width - self.crop) / 2)
        return np.asarray(resized)[top : top + self.crop, left : left + self.crop]
