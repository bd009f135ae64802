"""Feature vectors of all images of a set, in a file that need not fit into memory, and their whitening."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from PIL import Image

from igdet.curation.duplicates.image_sets import ImageSet
from igdet.curation.duplicates.scanning import Progress, Scan, Skipped

DIM = 256  # K: most numbers that are left; with more, noise is brought up to the size of the rest
_SAMPLE = 50_000  # vectors that it is learned from
_SAMPLES_A_NUMBER = 10  # with fewer, the small variances are those of the sample and not of images
_FEWEST = 160  # vectors: too few to tell, left as they are
_BLOCK = 65_536  # vectors at a time


class Whitening(NamedTuple):
    """Takes the mean off, turns to principal directions and scales each to a variance of 1.

    Attributes:
        mean: float32 (D,).
        projection: float32 (D, K).
    """

    mean: np.ndarray
    projection: np.ndarray

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """Whiten vectors, float (N, D) to float16 (N, K), of length 1."""
        whitened = np.empty((len(vectors), self.projection.shape[1]), np.float16)
        for start in range(0, len(vectors), _BLOCK):
            block = (vectors[start : start + _BLOCK].astype(np.float32) - self.mean) @ self.projection
            lengths = np.linalg.norm(block, axis=1, keepdims=True)
            whitened[start : start + _BLOCK] = block / np.maximum(lengths, np.finfo(np.float32).tiny)
        return whitened


def learn_whitening(vectors: np.ndarray) -> Whitening:
    """Learn from vectors, float (N, D), which may be a memory map; of fewer than 160 it is the identity."""
    count, dim = vectors.shape
    if count < _FEWEST:
        return Whitening(np.zeros(dim, np.float32), np.eye(dim, dtype=np.float32))
    rows = np.linspace(0, count - 1, min(count, _SAMPLE)).astype(np.int64)  # spread evenly: folders are sorted
    sample = vectors[rows].astype(np.float32)
    # PCA whitening: x -> (x - mean) V diag(1 / sqrt(variance)). Channels that fire together, as those for frequent
    # textures do, else count several times and make unrelated images alike (Jegou and Chum, ECCV 2012).
    variances, directions = np.linalg.eigh(np.cov(sample, rowvar=False))  # ascending
    kept = min(DIM, dim, len(rows) // _SAMPLES_A_NUMBER)
    variances, directions = variances[-kept:], directions[:, -kept:]
    scales = 1 / np.sqrt(np.maximum(variances, 1e-6 * variances[-1]))  # dead channels have no variance
    return Whitening(sample.mean(axis=0), (directions * scales).astype(np.float32))


class Describer(Protocol):
    """Makes vectors of images.

    Attributes:
        dim: D.
        stride: of which the sides of the images must be multiples, pixels.
    """

    dim: int
    stride: int

    def __call__(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return float (n, D), of length 1, of n images, uint8 (H, W, 3) RGB."""


class Vectors(NamedTuple):
    """The vectors of a set's images.

    Attributes:
        ids: N names.
        values: float16 (N, D), a memory map.
        skipped: images that are bad.
    """

    ids: pa.Array
    values: np.ndarray
    skipped: list[Skipped]


@dataclass(frozen=True)
class Fitting:
    """Resizes an image, its shape kept as far as the sides are multiples of the network's stride.

    Attributes:
        side: pixels of the longer side.
        stride: pixels.
    """

    side: int
    stride: int

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Resize an image, uint8 (H, W, 3), also to more pixels than it has."""
        scale = self.side / self.stride / max(image.shape[:2])
        height, width = (self.stride * max(1, round(side * scale)) for side in image.shape[:2])
        return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def describe_images(
    images: ImageSet, describer: Describer, side: int, scan: Scan, progress: Progress, path: Path
) -> Vectors:
    """Make the vectors of a set's images.

    Args:
        images: the set.
        describer: the network.
        side: pixels of the longer side, to which images are resized.
        scan: how they are read.
        progress: is told how far it is.
        path: the file of the vectors, as numpy's .npy; takes 2 N D bytes.
    """
    shape = (len(images), describer.dim)
    values = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
    rows: list[int] = []
    skipped: list[Skipped] = []
    for part in progress.of(scan(images, Fitting(side, describer.stride)), "R-MAC", len(images)):
        skipped += part.skipped
        if part.rows:
            values[len(rows) : len(rows) + len(part.rows)] = describer(part.values)
        rows += part.rows
    return Vectors(images.ids.take(pa.array(rows, pa.int64())), values[: len(rows)], skipped)
