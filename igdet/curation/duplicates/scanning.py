"""Reading all images of a set in order, with progress; the bad ones are named, counted and skipped up to a share."""

import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from igdet.curation import engine
from igdet.curation.duplicates.image_sets import DuplicatesError, ImageSet
from igdet.curation.images import BAD_REASONS, CleanSettings, ImageError, clean_image
from igdet.curation.pace import Pace
from igdet.formats.images import open_image
from igdet.utils.errors import too_many

_BATCH = 256  # images that a process is given at a time: some tenths of a second of work
_QUALITY = 95  # of images made smaller: their coding must not add differences of its own
_SECONDS = 10  # between two lines


class Skipped(NamedTuple):
    """An image left out: its id, a short reason and what exactly is wrong."""

    id: str
    reason: str
    why: str


class Scanned(NamedTuple):
    """Some images: n rows of the set with a value each, and what was skipped between them."""

    rows: list[int]
    values: list[Any]
    skipped: list[Skipped]


@dataclass(frozen=True)
class Scan:
    """How images are read.

    Attributes:
        max_side: pixels of the longer side, to which larger images are made smaller.
        processes: number of processes of this machine, >= 1; see `engine.map_in_order`.
        max_bad_share: share of the images, 0..1, that may be bad.
        pace: how fast they are read.
    """

    max_side: int
    processes: int = 1
    max_bad_share: float = 0.05
    pace: Pace = field(default_factory=lambda: Pace("images read and described"))

    def __call__(self, images: ImageSet, describe: Callable[[np.ndarray], Any]) -> Iterator[Scanned]:
        """Yield what `describe` makes of each image, some images at a time.

        Args:
            images: what to read.
            describe: takes an image, uint8 (H, W, 3) RGB; can be pickled.

        Raises:
            DuplicatesError: too many images are bad.
        """
        tasks = ((start, min(start + _BATCH, len(images))) for start in range(0, len(images), _BATCH))
        seen, bad = 0, 0
        for done in engine.map_in_order(Reader(images, describe, self.max_side), tasks, self.processes):
            scanned = done.result
            count = len(scanned.rows) + len(scanned.skipped)
            self.pace.add(f"images {seen}-{seen + count - 1}", count, 0, done)
            seen += count
            bad += count_bad(scanned.skipped)
            if bad and scanned.skipped and too_many(bad, seen, self.max_bad_share):
                raise too_many_bad(bad, seen, scanned.skipped[-1], self.max_bad_share)
            yield scanned


def count_bad(skipped: Sequence[Skipped]) -> int:
    """Return how many images are bad, and not only without features."""
    return sum(one.reason in BAD_REASONS for one in skipped)


def too_many_bad(bad: int, seen: int, last: Skipped, max_bad_share: float) -> DuplicatesError:
    """Return what stops a search, most of whose images may be fine elsewhere."""
    return DuplicatesError(
        f"{bad} of {seen} images are bad, the last one {last.id}: {last.reason}: {last.why}; "
        f"fix them or allow a share of more than {max_bad_share}"
    )


def decode(data: bytes, max_side: int) -> np.ndarray:
    """Decode an image file as a shard would hold it: upright, in the colours of sRGB.

    Args:
        data: the file.
        max_side: pixels of the longer side, to which a larger image is made smaller.

    Returns:
        uint8 (H, W, 3) RGB.

    Raises:
        ImageError: it is no image, or damaged.
    """
    with open_image(io.BytesIO(clean_image(data, CleanSettings(max_side, _QUALITY)))) as image:
        return np.asarray(image.convert("RGB"))


@dataclass(frozen=True)
class Reader:
    """Reads images of a set, and describes them; can be sent to other processes and machines.

    Attributes:
        images: the set.
        describe: takes an image, uint8 (H, W, 3) RGB.
        max_side: pixels of the longer side, to which larger images are made smaller.
    """

    images: ImageSet
    describe: Callable[[np.ndarray], Any]
    max_side: int

    def __call__(self, start: int, stop: int) -> Scanned:
        """Read the images of the rows from `start` to `stop`, the latter not included."""
        scanned = Scanned([], [], [])
        for row in range(start, stop):
            try:
                value = self.describe(decode(self.images.read(row), self.max_side))
            except ImageError as error:
                scanned.skipped.append(Skipped(self.images.ids[row].as_py(), error.reason, error.why))
            else:
                scanned.rows.append(row)
                scanned.values.append(value)
        return scanned


class Progress:
    """Tells how many images are done.

    Args:
        say: is given each line.
    """

    def __init__(self, say: Callable[[str], None] = print):
        self._say = say

    def of(self, parts: Iterable[Scanned], name: str, total: int) -> Iterator[Scanned]:
        """Pass on what is read and say now and then, and at the end, how far it is.

        Args:
            parts: the images, some at a time.
            name: what is done to them.
            total: their number.
        """
        started = last = time.monotonic()
        done = skipped = 0
        for part in parts:
            yield part
            done += len(part.rows) + len(part.skipped)
            skipped += len(part.skipped)
            now = time.monotonic()
            if now - last >= _SECONDS or done == total:
                last = now
                rate = done / max(now - started, 1e-9)
                self._say(f"{name}: {done:,} of {total:,} images, {skipped:,} skipped, {rate:,.0f} a second")
