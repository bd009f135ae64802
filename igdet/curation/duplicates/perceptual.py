"""Perceptual hashes of pictures (PDQ), which hardly change when a picture is coded anew, resized or retouched.

Shape shorthand: N: number of pictures; 8: a picture and its seven mirrored and turned versions; 32 bytes of 256 bits.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from igdet.curation.duplicates.pdq import BITS, hash_picture
from igdet.curation.duplicates.picture_set import PictureSet
from igdet.curation.duplicates.progress import Progress
from igdet.curation.duplicates.scanning import Scan, Scanned, Skipped

MAX_SIDE = 512  # pixels of the longer side; PDQ's reference implementation makes larger pictures smaller, too
MAX_DISTANCE = 31  # bits: a confident match in PDQ's reference implementation; unrelated pictures differ in 128
MIN_QUALITY = 50  # of 0..100: PDQ's authors tell to discard the hashes of flatter pictures
FEATURELESS = "featureless"  # the reason of those


class Hashes(NamedTuple):
    """The hashes of a set's pictures.

    Attributes:
        ids: N names.
        bits: uint8 (N, 8, 32); the first of the 8 is the picture as it is.
        skipped: pictures that are bad or featureless.
    """

    ids: pa.Array
    bits: np.ndarray
    skipped: list[Skipped]


def hash_pictures(pictures: PictureSet, scan: Scan, progress: Progress) -> Hashes:
    """Hash the pictures of a set, those without features left out.

    Args:
        pictures: the set.
        scan: how they are read.
        progress: is told how far it is.
    """
    parts, rows, skipped = [np.empty((0, 8, BITS // 8), np.uint8)], [], []
    scanned = (_without_featureless(part, pictures.ids) for part in scan(pictures, hash_picture))
    for part in progress.of(scanned, "PDQ", len(pictures)):
        skipped += part.skipped
        rows += part.rows
        parts += [bits[None] for bits, _ in part.values]
    return Hashes(pictures.ids.take(pa.array(rows, pa.int64())), np.concatenate(parts), skipped)


def _without_featureless(part: Scanned, ids: pa.Array) -> Scanned:
    """Move the pictures whose hashes mean nothing to those skipped, so that progress counts them as such."""
    kept = Scanned([], [], list(part.skipped))
    for row, (bits, quality) in zip(part.rows, part.values, strict=True):
        if quality < MIN_QUALITY:
            why = f"PDQ quality {quality} is below {MIN_QUALITY}"
            kept.skipped.append(Skipped(ids[row].as_py(), FEATURELESS, why))
        else:
            kept.rows.append(row)
            kept.values.append((bits, quality))
    return kept
