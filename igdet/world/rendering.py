"""Making the items of a world in several processes, so that the result depends on the seed alone."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TypeVar

import cv2
import numpy as np
from tqdm import tqdm

from igdet.utils.processes import map_in_order

_JPEG_QUALITY = 92
_AT_ONCE = 16  # items that go to a process and back together

Item = TypeVar("Item")


@dataclass(frozen=True)
class Source:
    """Where the chance of one part of a world comes from: every item has its own generator.

    Attributes:
        seed: of the world, >= 0.
        part: the part's name; parts with different names share nothing.
    """

    seed: int
    part: str

    def generator(self, index: int) -> np.random.Generator:
        """Return the generator of item `index`."""
        return np.random.default_rng([self.seed, zlib.crc32(self.part.encode()), index])


def make_items(make: Callable[[int], Item], count: int, part: str, workers: int) -> Iterator[Item]:
    """Yield `make(0)`, `make(1)`, ... in order, with a progress bar.

    Args:
        make: can be pickled.
        count: of items.
        part: what the progress bar is called.
        workers: number of processes; 1 works in this one.
    """
    progress = {"total": count, "desc": f"{part:>12}", "unit": "image", "unit_scale": True, "mininterval": 1}
    cv2.setNumThreads(1)  # the processes share the cores out; and OpenCV's threads would not survive the fork below
    several = ((range(start, min(start + _AT_ONCE, count)),) for start in range(0, count, _AT_ONCE))
    made = map_in_order(partial(_make_several, make), several, workers, start="fork")
    yield from tqdm(chain.from_iterable(made), **progress)


def _make_several(make: Callable[[int], Item], indices: range) -> list[Item]:
    return [make(index) for index in indices]


def encode_jpeg(image: np.ndarray) -> bytes:
    """Encode an image, uint8 RGB (H, W, 3), as JPEG."""
    encoded, data = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    if not encoded:
        raise RuntimeError("OpenCV was built without JPEG support; install the opencv-python-headless package")
    return data.tobytes()
