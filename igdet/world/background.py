"""Cluttered backgrounds: soft colours, strokes, blobs and shards, somewhat out of focus."""

from colorsys import hsv_to_rgb

import cv2
import numpy as np

_GRID = 5  # colours along each side that the soft ground is interpolated from


def draw_background(side: int, clutter: float, rng: np.random.Generator) -> np.ndarray:
    """Draw a background.

    Args:
        side: of the square picture in pixels.
        clutter: mean number of distracting marks.
        rng: source of chance.

    Returns:
        uint8 (side, side, 3), RGB.
    """
    pixels = _soft_ground(side, rng)
    for _ in range(rng.poisson(clutter)):
        MARKS[rng.integers(len(MARKS))](pixels, _colour(rng), rng)
    blur = 1 + 2 * int(rng.integers(0, 2))
    return cv2.blur(pixels, (blur, blur))


def _soft_ground(side: int, rng: np.random.Generator) -> np.ndarray:
    """Fade from one colour at the top to another at the bottom, with lighter, darker and tinted clouds."""
    top, bottom = np.array(_colour(rng)), np.array(_colour(rng))
    down = np.linspace(0, 1, _GRID)[:, None, None]
    clouds = rng.normal(0, 22, (_GRID, _GRID, 1)) + rng.normal(0, 10, (_GRID, _GRID, 3))
    colours = (top + (bottom - top) * down + clouds).astype(np.float32)
    return np.clip(cv2.resize(colours, (side, side), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def _colour(rng: np.random.Generator) -> tuple[float, float, float]:
    hue, saturation, value = rng.random(3)
    return tuple(255 * channel for channel in hsv_to_rgb(hue, 0.05 + 0.5 * saturation, 0.35 + 0.6 * value))


def _stroke(pixels: np.ndarray, colour: tuple, rng: np.random.Generator) -> None:
    side = len(pixels)
    start, end = rng.integers(0, side, (2, 2)).tolist()
    cv2.line(pixels, start, end, colour, int(rng.integers(1, side // 24 + 1)), cv2.LINE_AA)


def _blob(pixels: np.ndarray, colour: tuple, rng: np.random.Generator) -> None:
    side = len(pixels)
    axes = rng.integers(side // 24 + 1, side // 6, 2).tolist()
    cv2.ellipse(pixels, rng.integers(0, side, 2).tolist(), axes, rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)


def _shard(pixels: np.ndarray, colour: tuple, rng: np.random.Generator) -> None:
    side = len(pixels)
    corners = rng.integers(0, side, 2) + rng.integers(-side // 7, side // 7, (3, 2))
    cv2.fillPoly(pixels, corners.astype(np.int32)[None], colour, cv2.LINE_AA)


MARKS = (_stroke, _blob, _shard)
