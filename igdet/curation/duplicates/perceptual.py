"""Perceptual hashes of 256 bits (PDQ), which hardly change when an image is encoded again, resized or retouched."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
import pyarrow as pa

from igdet.curation.duplicates.image_sets import ImageSet
from igdet.curation.duplicates.scanning import Progress, Scan, Scanned, Skipped

BITS = 256
_MIN_SIDE = 5  # pixels: a smaller image has no hash
_SIDE = 64  # pixels of the image made smaller
_PASSES = 2  # of the box filter, which then weighs the pixels as a tent does
_STEPS_A_QUALITY = 90  # hundredths of the range of luminance, summed over all gradients
# Frequency 0 is left out: it holds the brightness alone.
_FREQUENCIES = np.arange(1, 17)
# Rows of the orthonormal DCT-II: sqrt(2 / N) cos(pi f (2 x + 1) / (2 N)) for frequency f at pixel x of N.
_ANGLES = np.pi / (2 * _SIDE) * _FREQUENCIES[:, None] * (2 * np.arange(_SIDE) + 1)
_DCT = (np.sqrt(2 / _SIDE) * np.cos(_ANGLES)).astype(np.float32)
# What mirroring does to the frequencies: at N - 1 - x the cosine above is (-1)^f times that at x.
_MIRROR = ((-1.0) ** _FREQUENCIES).astype(np.float32)
_KEEP = np.ones_like(_MIRROR)
# Signs of the spectrum's rows, of its columns, and whether the two are then exchanged; in the reference's order.
_ORIENTATIONS = (
    (_KEEP, _KEEP, False),  # as it is
    (_KEEP, _MIRROR, True),  # turned to the left
    (_MIRROR, _MIRROR, False),  # turned by half
    (_MIRROR, _KEEP, True),  # turned to the right
    (_MIRROR, _KEEP, False),  # upside down
    (_KEEP, _MIRROR, False),  # left and right exchanged
    (_KEEP, _KEEP, True),  # mirrored in the main diagonal
    (_MIRROR, _MIRROR, True),  # mirrored in the other one
)
MAX_SIDE = 512  # pixels of the longer side; PDQ's reference implementation makes larger images smaller, too
MAX_DISTANCE = 31  # bits: a confident match in PDQ's reference implementation; unrelated images differ in 128
MIN_QUALITY = 50  # of 0..100: PDQ's authors tell to discard the hashes of flatter images
FEATURELESS = "featureless"  # the reason of those


def hash_image(image: np.ndarray) -> tuple[np.ndarray, int]:
    """Hash an image in its eight orientations.

    Args:
        image: uint8 (H, W, 3) RGB.

    Returns:
        uint8 (8, 32), the first of the 8 for the image as it is, and the quality, 0..100, which is low for images
        with few gradients; nothing but zeros for an image of fewer than 5 pixels a side.
    """
    if min(image.shape[:2]) < _MIN_SIDE:
        return np.zeros((len(_ORIENTATIONS), BITS // 8), np.uint8), 0
    # Y = 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), not rounded. Luminance, smoothed, 64 x 64 pixels; of their DCT the
    # 16 x 16 lowest frequencies; of each, whether it lies above the median: 256 bits, half of them set. Coding and
    # resizing change little in so coarse a spectrum. The spectra of turned and mirrored images follow from the first by
    # signs and an exchange: no second transform.
    small = _decimate(_smooth(cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2GRAY)))
    return np.stack([_bits(spectrum) for spectrum in _orient(_DCT @ small @ _DCT.T)]), _quality(small)


def _smooth(luminance: np.ndarray) -> np.ndarray:
    """Replace each pixel by the mean of a window around it, twice; of a window at the border by what lies inside.

    A window is as wide as half the distance of the pixels kept, rounded up: W / 128. Of even width, it reaches one
    pixel further to the right and downwards. Source: Jarosz 2001, "Fast Image Convolutions".
    """
    height, width = (-(-side // (_PASSES * _SIDE)) for side in luminance.shape)
    window: dict[str, Any] = {"ksize": (width, height), "anchor": ((width - 1) // 2, (height - 1) // 2)}
    sums: dict[str, Any] = {"ddepth": -1, "normalize": False, "borderType": cv2.BORDER_CONSTANT}  # outside are zeros
    # The sum over a window divided by the number of its pixels that lie inside, which is the sum over an image of ones.
    pixels = cv2.boxFilter(np.ones_like(luminance), **window, **sums)
    for _ in range(_PASSES):
        luminance = cv2.boxFilter(luminance, **window, **sums) / pixels
    return luminance


def _decimate(luminance: np.ndarray) -> np.ndarray:
    """Keep the pixels in the middle of 64 x 64 equal blocks."""
    return luminance[np.ix_(*(((np.arange(_SIDE) + 0.5) * side / _SIDE).astype(int) for side in luminance.shape))]


def _orient(spectrum: np.ndarray) -> Iterator[np.ndarray]:
    """Make the spectra of the eight orientations out of the image's own."""
    for rows, columns, exchanged in _ORIENTATIONS:
        signed = spectrum * rows[:, None] * columns
        yield signed.T if exchanged else signed


def _bits(spectrum: np.ndarray) -> np.ndarray:
    """Set the bits of the frequencies above the lower median; the highest frequency comes first, as PDQ writes it."""
    middle = BITS // 2 - 1
    median = np.partition(spectrum, middle, axis=None)[middle]
    return np.packbits(spectrum.ravel()[::-1] > median)


def _quality(small: np.ndarray) -> int:
    """Sum the gradients in whole hundredths of the range of luminance, so that noise counts nothing."""
    total = sum(np.abs(np.trunc(np.diff(small, axis=axis) * 100 / 255)).sum() for axis in (0, 1))
    return min(100, int(total) // _STEPS_A_QUALITY)


class Hashes(NamedTuple):
    """The hashes of a set's images.

    Attributes:
        ids: N names.
        bits: uint8 (N, 8, 32); the first of the 8 is the image as it is.
        skipped: images that are bad or featureless.
    """

    ids: pa.Array
    bits: np.ndarray
    skipped: list[Skipped]


def hash_images(images: ImageSet, scan: Scan, progress: Progress) -> Hashes:
    """Hash the images of a set, those without features left out.

    Args:
        images: the set.
        scan: how they are read.
        progress: is told how far it is.
    """
    parts, rows, skipped = [np.empty((0, 8, BITS // 8), np.uint8)], [], []
    scanned = (without_featureless(part, images.ids) for part in scan(images, hash_image))
    for part in progress.of(scanned, "PDQ", len(images)):
        skipped += part.skipped
        rows += part.rows
        parts += [bits[None] for bits, _ in part.values]
    return Hashes(images.ids.take(pa.array(rows, pa.int64())), np.concatenate(parts), skipped)


def without_featureless(part: Scanned, ids: pa.Array) -> Scanned:
    """Move the images whose hashes mean nothing to those skipped, so that progress counts them as such.

    Args:
        part: with what `hash_image` returns as values; of the result they are pairs still.
        ids: of the set's images.
    """
    kept = Scanned([], [], list(part.skipped))
    for row, (bits, quality) in zip(part.rows, part.values, strict=True):
        if quality < MIN_QUALITY:
            why = f"PDQ quality {quality} is below {MIN_QUALITY}"
            kept.skipped.append(Skipped(ids[row].as_py(), FEATURELESS, why))
        else:
            kept.rows.append(row)
            kept.values.append((bits, quality))
    return kept
