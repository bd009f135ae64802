"""Feature vectors of all pictures of a set, in a file that need not fit into memory.

Shape shorthand: N pictures, D numbers of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from PIL import Image

from igdet.curation.duplicates.picture_set import PictureSet
from igdet.curation.duplicates.progress import Progress
from igdet.curation.duplicates.scanning import Scan, Skipped


class Describer(Protocol):
    """Makes vectors of pictures.

    Attributes:
        dim: D.
        stride: of which the sides of the pictures must be multiples, pixels.
    """

    dim: int
    stride: int

    def __call__(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Give float (n, D), of length 1, of n pictures, uint8 (H, W, 3) RGB."""


class Vectors(NamedTuple):
    """The vectors of a set's pictures.

    Attributes:
        ids: N names.
        values: float16 (N, D), a memory map.
        skipped: pictures that are bad.
    """

    ids: pa.Array
    values: np.ndarray
    skipped: list[Skipped]


@dataclass(frozen=True)
class Fitting:
    """Resizes a picture, its shape kept as far as the sides are multiples of the network's stride.

    Attributes:
        side: pixels of the longer side.
        stride: pixels.
    """

    side: int
    stride: int

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Resize a picture, uint8 (H, W, 3), also to more pixels than it has."""
        scale = self.side / self.stride / max(picture.shape[:2])
        height, width = (self.stride * max(1, round(side * scale)) for side in picture.shape[:2])
        return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))


def describe_pictures(
    pictures: PictureSet, describer: Describer, side: int, scan: Scan, progress: Progress, path: Path
) -> Vectors:
    """Make the vectors of a set's pictures.

    Args:
        pictures: the set.
        describer: the network.
        side: pixels of the longer side, to which pictures are resized.
        scan: how they are read.
        progress: is told how far it is.
        path: the file of the vectors, as numpy's .npy; takes 2 N D bytes.
    """
    shape = (len(pictures), describer.dim)
    values = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
    rows: list[int] = []
    skipped: list[Skipped] = []
    for part in progress.of(scan(pictures, Fitting(side, describer.stride)), "R-MAC", len(pictures)):
        skipped += part.skipped
        if part.rows:
            values[len(rows) : len(rows) + len(part.rows)] = describer(part.values)
        rows += part.rows
    return Vectors(pictures.ids.take(pa.array(rows, pa.int64())), values[: len(rows)], skipped)
