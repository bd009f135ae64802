"""Outlines that things are made of, as points in a thing's own unit frame: x right, y down, about -1..1."""

import numpy as np


def polygon(*corners: tuple[float, float]) -> np.ndarray:
    """Give a polygon's corners as an outline, float64 (n, 2)."""
    return np.array(corners, dtype=np.float64)


def ellipse(x: float, y: float, rx: float, ry: float, degrees: float = 0, points: int = 20) -> np.ndarray:
    """Give an ellipse around (x, y) with half axes rx and ry, turned clockwise, as an outline (points, 2)."""
    t = np.linspace(0, 2 * np.pi, points, endpoint=False)
    outline = np.stack([rx * np.cos(t), ry * np.sin(t)], axis=1)
    return outline @ rotation(degrees).T + (x, y)


def smooth(*corners: tuple[float, float]) -> np.ndarray:
    """Round a polygon's corners off by cutting them twice (Chaikin's scheme), as an outline (4 n, 2)."""
    outline = polygon(*corners)
    for _ in range(2):
        following = np.roll(outline, -1, axis=0)
        quarter, three_quarters = 0.75 * outline + 0.25 * following, 0.25 * outline + 0.75 * following
        outline = np.stack([quarter, three_quarters], axis=1).reshape(-1, 2)
    return outline


def limb(start: np.ndarray, end: np.ndarray, start_radius: float, end_radius: float) -> np.ndarray:
    """Give a limb with round ends that tapers from one point to another, as an outline (14, 2)."""
    along = np.subtract(end, start)
    heading = np.arctan2(along[1], along[0])
    half_turn = np.linspace(np.pi / 2, 3 * np.pi / 2, 7) + heading
    circle = np.stack([np.cos(half_turn), np.sin(half_turn)], axis=1)
    return np.concatenate([start + start_radius * circle, end - end_radius * circle])


def mirrored(outline: np.ndarray) -> np.ndarray:
    """Give the outline on the other side of the vertical axis."""
    return outline * (-1, 1)


def rotation(degrees: float) -> np.ndarray:
    """Give the matrix (2, 2) that turns column vectors clockwise, as y points down."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])
