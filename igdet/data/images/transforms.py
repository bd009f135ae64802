"""Crops, flips and resizing for classification: which part of an image is wanted, so that no more is decoded."""

import math
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch.nn import functional

from igdet.data.images.decoding import CroppableImage

CROP_TRIES = 10
REACHES = {"bilinear": 1, "bicubic": 2}  # half the width of the kernel, in pixels of the smaller of the two images


def antialiased(pixels: np.ndarray, height: int, width: int, interpolation: str = "bilinear") -> np.ndarray:
    """Resize as Pillow does: each pixel of the result weighs all that it covers, by a triangle or Keys' cubic kernel.

    Published weights were trained and evaluated with Pillow. PyTorch's kernel on bytes computes the same in less than a
    third of the time; no value differs by more than one level of 255, which is what releases of Pillow differ by; of
    noise that is enlarged bicubically, one in 150,000 differs by two.

    Args:
        pixels: uint8 (H, W, 3), writable.
        height, width: h and w.
        interpolation: a key of `REACHES`.

    Returns:
        uint8 (h, w, 3).
    """
    batch = torch.from_numpy(pixels).permute(2, 0, 1)[None]  # (H, W, 3) -> (1, 3, H, W), channels last in memory
    resized = functional.interpolate(batch, (height, width), mode=interpolation, antialias=True)
    return resized[0].permute(1, 2, 0).numpy()  # (1, 3, h, w) -> (h, w, 3)


def fast(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize by weighing the four nearest pixels, whatever lies between them: sharper, with moiré in fine patterns.

    Takes and gives what `antialiased` does.
    """
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)


@dataclass(frozen=True)
class TrainTransform:
    """A random-resized crop (Szegedy et al., arXiv 1409.4842) and a random horizontal flip.

    Args:
        size: side of the result in pixels.
        scale: range of the crop's share of the image's area, 0..1.
        ratio: range of the crop's width / height.
        flip: probability of the flip, 0..1.
        fast: whether speed goes before faithful pixels: large crops are brought down by powers of two as they are
            decoded, and nothing is antialiased; bilinear, whatever is asked for.
        interpolation: a key of `REACHES`.
    """

    size: int
    scale: tuple[float, float]
    ratio: tuple[float, float]
    flip: float
    fast: bool = False
    interpolation: str = "bilinear"

    def __call__(self, image: CroppableImage, rng: np.random.Generator) -> np.ndarray:
        """Make a training image.

        Args:
            image: opened, not decoded.
            rng: the generator of this draw.

        Returns:
            uint8 (size, size, 3).

        Raises:
            ImageError: the file is damaged.
        """
        crop = sample_crop(image.height, image.width, self.scale, self.ratio, rng)
        resize = fast if self.fast else partial(antialiased, interpolation=self.interpolation)
        pixels = resize(image.crop(*crop, smallest_side=self.size if self.fast else None), self.size, self.size)
        return pixels[:, ::-1] if rng.random() < self.flip else pixels


class TrainTransforms(NamedTuple):
    """The transforms of a training, whose crops may change once, between two batches.

    Attributes:
        early: of the first draws.
        late: of the others.
        since: number of the first draw that has the late one, a multiple of the batch.
    """

    early: TrainTransform
    late: TrainTransform
    since: int = 0

    def of(self, draw: int) -> TrainTransform:
        """Return the transform of a draw, by its number."""
        return self.late if draw >= self.since else self.early


def sample_crop(
    height: int, width: int, scale: tuple[float, float], ratio: tuple[float, float], rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Draw a crop: area uniform in `scale`, width / height log-uniform in `ratio`, position uniform.

    Args:
        height, width: the image's size in pixels.
        scale, ratio: as `TrainTransform` has them.
        rng: the generator of this draw.

    Returns:
        top, left, height, width in pixels; after `CROP_TRIES` crops that did not fit, the largest centre crop whose
        ratio is in the range.
    """
    for _ in range(CROP_TRIES):
        # width / height = aspect and width * height = area. The logarithm makes 3/4 as likely as 4/3.
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
    """The centre crop of an image whose shorter side is resized.

    Args:
        short_side: the shorter side after resizing, in pixels.
        crop: side of the crop in pixels, <= `short_side`.
        interpolation: a key of `REACHES`.
    """

    __test__ = False  # not a test for pytest to collect

    short_side: int
    crop: int
    interpolation: str = "bilinear"

    def __call__(self, image: CroppableImage) -> np.ndarray:
        """Make an evaluation image, uint8 (crop, crop, 3).

        Raises:
            ImageError: the file is damaged.
        """
        sides = image.height, image.width
        new_height, new_width = (int(self.short_side * side / min(sides)) for side in sides)
        top, left = round((new_height - self.crop) / 2), round((new_width - self.crop) / 2)
        reach = REACHES[self.interpolation]
        rows = _sources(top, self.crop, new_height, image.height, reach)
        columns = _sources(left, self.crop, new_width, image.width, reach)
        # Only what the crop is made of is decoded. What lies around it stays as it is, and is cut off after resizing.
        canvas = np.empty((*sides, 3), np.uint8)
        canvas[rows, columns] = image.crop(rows.start, columns.start, _length(rows), _length(columns))
        resized = antialiased(canvas, new_height, new_width, self.interpolation)
        return resized[top : top + self.crop, left : left + self.crop]


def _sources(first: int, count: int, new_side: int, side: int, kernel: int) -> slice:
    """Say which of `side` pixels make up `count` from `first` on of the `new_side` that they are resized to."""
    # Pixel i of the result covers i * scale to (i + 1) * scale of the source; the kernel reaches beyond both ends.
    scale = side / new_side
    reach = kernel * max(scale, 1)
    return slice(max(0, math.floor(first * scale - reach)), min(side, math.ceil((first + count) * scale + reach)))


def _length(part: slice) -> int:
    return part.stop - part.start
