"""What each rigid thing of the world is made of: outlines, and a table of parts, painted from first to last."""

from dataclasses import dataclass

import numpy as np


def polygon(*corners: tuple[float, float]) -> np.ndarray:
    """Return a polygon's corners as an outline, float64 (n, 2)."""
    return np.array(corners, dtype=np.float64)


def ellipse(x: float, y: float, rx: float, ry: float, degrees: float = 0, points: int = 20) -> np.ndarray:
    """Return an ellipse around (x, y) with half axes rx and ry, turned clockwise, as an outline (points, 2)."""
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
    """Return a limb with round ends that tapers from one point to another, as an outline (14, 2)."""
    along = np.subtract(end, start)
    heading = np.arctan2(along[1], along[0])
    half_turn = np.linspace(np.pi / 2, 3 * np.pi / 2, 7) + heading
    circle = np.stack([np.cos(half_turn), np.sin(half_turn)], axis=1)
    return np.concatenate([start + start_radius * circle, end - end_radius * circle])


def mirrored(outline: np.ndarray) -> np.ndarray:
    """Return the outline on the other side of the vertical axis."""
    return outline * (-1, 1)


def rotation(degrees: float) -> np.ndarray:
    """Return the matrix (2, 2) that turns column vectors clockwise, as y points down."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


@dataclass(frozen=True)
class Patch:
    """An outline and how it is painted.

    Attributes:
        outline: float64 (n, 2) in the thing's unit frame.
        paint: a colour of the thing's palette: "main", "second", "third", "dark", "light", "white" or "black".
        texture: name of the pattern upon it; "" for none.
        ink: the pattern's colour, from the same palette.
    """

    outline: np.ndarray
    paint: str
    texture: str = ""
    ink: str = "black"


def _pair(outline: np.ndarray, *paint: str) -> list[Patch]:
    return [Patch(outline, *paint), Patch(mirrored(outline), *paint)]


def _eye(x: float, y: float, radius: float) -> list[Patch]:
    return [Patch(ellipse(x, y, radius, radius, points=12), "white"),
            Patch(ellipse(x + 0.2 * radius, y, 0.55 * radius, 0.55 * radius, points=8), "black")]  # fmt: skip


def _line(x0: float, y0: float, x1: float, y1: float, radius: float, paint: str) -> Patch:
    return Patch(limb(np.array([x0, y0]), np.array([x1, y1]), radius, radius), paint)


def _petals(count: int) -> list[Patch]:
    turns = np.linspace(0, 360, count, endpoint=False)
    centres = np.radians(turns)
    return [Patch(ellipse(0.38 * np.cos(t), 0.38 * np.sin(t) - 0.42, 0.24, 0.1, turn, 12), "main")
            for t, turn in zip(centres, turns, strict=True)]  # fmt: skip


ANATOMY: dict[str, list[Patch]] = {
    "goldfish": [
        Patch(smooth((-0.35, 0), (-0.8, -0.75), (-1.1, -0.5), (-0.75, 0), (-1.1, 0.5), (-0.8, 0.75)), "second"),
        Patch(smooth((-0.35, -0.3), (-0.15, -0.95), (0.45, -0.7), (0.4, -0.3)), "second"),
        Patch(smooth((0.05, 0.3), (-0.25, 0.85), (0.1, 0.8), (0.35, 0.3)), "second"),
        Patch(ellipse(0.15, 0, 0.66, 0.47), "main", "scales", "dark"),
        *_eye(0.55, -0.12, 0.11),
    ],
    "angelfish": [
        Patch(smooth((-0.35, -0.2), (-0.8, -1.15), (-0.45, -1.1), (0.3, -0.4)), "main"),
        Patch(smooth((-0.35, 0.2), (-0.8, 1.15), (-0.45, 1.1), (0.3, 0.4)), "main"),
        Patch(polygon((-0.4, 0), (-0.85, -0.35), (-0.72, 0), (-0.85, 0.35)), "second"),
        Patch(smooth((-0.6, 0), (-0.05, -0.75), (0.4, -0.45), (0.85, 0), (0.4, 0.45), (-0.05, 0.75)),
             "main", "bands", "second"),
        *_eye(0.45, -0.08, 0.09),
    ],
    "shark": [
        Patch(polygon((-0.62, 0.02), (-1.05, -0.5), (-0.88, 0), (-1.0, 0.35)), "dark"),
        Patch(polygon((-0.15, -0.2), (-0.2, -0.68), (0.28, -0.2)), "dark"),
        Patch(smooth((-0.95, 0), (-0.2, -0.36), (0.6, -0.32), (1.1, 0.0), (0.5, 0.3), (-0.2, 0.25)), "main"),
        Patch(smooth((-0.5, 0.08), (0.3, 0.1), (1.0, 0.04), (0.5, 0.3), (-0.15, 0.25)), "light"),
        Patch(polygon((0.2, 0.12), (-0.15, 0.58), (0.45, 0.14)), "dark"),
        *[_line(x, -0.12, x - 0.03, 0.1, 0.018, "dark") for x in (0.34, 0.42, 0.5)],
        *_eye(0.72, -0.08, 0.06),
    ],
    "owl": [
        *_pair(polygon((0.12, -0.6), (0.5, -1.0), (0.48, -0.45)), "dark"),
        Patch(ellipse(0, 0.1, 0.56, 0.8), "main", "chevrons", "dark"),
        *_pair(ellipse(0.5, 0.3, 0.17, 0.5, 8), "dark"),
        Patch(ellipse(0, 0.45, 0.3, 0.4), "light", "chevrons", "main"),
        *_pair(ellipse(0.24, -0.33, 0.27, 0.27), "light"),
        *_pair(ellipse(0.22, -0.33, 0.18, 0.18, points=14), "third"),
        *_pair(ellipse(0.21, -0.33, 0.09, 0.09, points=10), "black"),
        Patch(polygon((-0.08, -0.22), (0.08, -0.22), (0, 0.02)), "second"),
        *_pair(ellipse(0.2, 0.9, 0.13, 0.06, points=10), "second"),
    ],
    "parrot": [
        Patch(smooth((-0.25, 0.2), (-0.75, 1.1), (-0.5, 1.15), (0.1, 0.4)), "second"),
        Patch(smooth((0.0, -0.75), (0.5, -0.45), (0.45, 0.3), (-0.05, 0.65), (-0.5, 0.45), (-0.3, -0.3)), "main"),
        Patch(ellipse(0.18, -0.6, 0.33, 0.32), "main"),
        Patch(
            smooth((-0.1, -0.25), (0.2, 0.0), (-0.05, 0.5), (-0.65, 0.85), (-0.45, 0.1)), "second", "scales", "third"
        ),
        Patch(ellipse(0.32, -0.58, 0.16, 0.15, points=12), "white"),
        Patch(ellipse(0.3, -0.62, 0.06, 0.06, points=8), "black"),
        Patch(smooth((0.4, -0.75), (0.75, -0.65), (0.68, -0.25), (0.42, -0.45)), "dark"),
        _line(0.1, 0.55, 0.15, 0.75, 0.04, "black"),
    ],
    "penguin": [
        *_pair(ellipse(0.25, 0.92, 0.2, 0.08, points=12), "third"),
        *_pair(smooth((0.35, -0.3), (0.85, 0.25), (0.75, 0.4), (0.35, 0.15)), "dark"),
        Patch(ellipse(0, 0.2, 0.52, 0.72), "main"),
        Patch(ellipse(0, -0.58, 0.34, 0.34), "main"),
        Patch(ellipse(0, 0.3, 0.36, 0.58), "white"),
        *_pair(ellipse(0.12, -0.52, 0.16, 0.2), "white"),
        *_pair(ellipse(0.12, -0.6, 0.05, 0.06, points=8), "black"),
        Patch(polygon((-0.13, -0.5), (0.13, -0.5), (0, -0.32)), "third"),
    ],
    "butterfly": [
        *_pair(smooth((0.0, 0.05), (0.25, 0.95), (0.75, 0.85), (0.75, 0.2)), "second", "dots", "light"),
        *_pair(smooth((0.0, 0.1), (0.2, -0.85), (1.1, -1.0), (1.05, -0.1)), "main", "dots", "second"),
        Patch(limb(np.array([0, -0.45]), np.array([0, 0.55]), 0.09, 0.05), "black"),
        *_pair(limb(np.array([0.02, -0.45]), np.array([0.28, -0.95]), 0.025, 0.035), "black"),
    ],
    "ladybug": [
        *[_line(-0.75, y, 0.75, y + 0.05, 0.045, "black") for y in (-0.25, 0.15, 0.5)],
        *_pair(limb(np.array([0.1, -0.7]), np.array([0.3, -1.0]), 0.03, 0.04), "black"),
        Patch(ellipse(0, -0.62, 0.36, 0.26), "black"),
        *_pair(ellipse(0.2, -0.68, 0.08, 0.07, points=10), "white"),
        Patch(ellipse(0, 0.15, 0.62, 0.72), "main", "dots", "black"),
        _line(0, -0.5, 0, 0.85, 0.03, "black"),
    ],
    "bee": [
        Patch(polygon((-0.75, -0.06), (-1.0, 0.08), (-0.75, 0.2)), "black"),
        Patch(ellipse(-0.25, -0.5, 0.24, 0.48, -25), "white"),
        Patch(ellipse(0.1, -0.5, 0.22, 0.46, 15), "light"),
        Patch(ellipse(-0.15, 0.1, 0.68, 0.4), "main", "bands", "black"),
        Patch(ellipse(0.6, 0.05, 0.28, 0.28), "dark"),
        *_eye(0.7, 0.0, 0.1),
        Patch(limb(np.array([0.65, -0.15]), np.array([0.9, -0.5]), 0.025, 0.045), "black"),
        *[_line(x, 0.4, x + 0.08, 0.68, 0.03, "black") for x in (-0.35, -0.05, 0.25)],
    ],
    "mushroom": [
        Patch(smooth((-0.2, -0.1), (0.2, -0.1), (0.2, 0.5), (0.36, 0.98), (-0.36, 0.98), (-0.2, 0.5)), "second"),
        Patch(ellipse(0, 0.02, 0.75, 0.17), "dark"),
        Patch(smooth((-1.0, 0.1), (-0.8, -0.7), (0, -1.1), (0.8, -0.7), (1.0, 0.1), (0, -0.05)),
             "main", "dots", "white"),
    ],
    "cactus": [
        *_pair(limb(np.array([0.25, 0.15]), np.array([0.62, 0.1]), 0.14, 0.13), "main"),
        Patch(limb(np.array([0.62, 0.1]), np.array([0.64, -0.35]), 0.13, 0.12), "main", "ribs", "light"),
        Patch(limb(np.array([-0.62, 0.1]), np.array([-0.64, -0.15]), 0.13, 0.12), "main", "ribs", "light"),
        Patch(limb(np.array([0, -0.6]), np.array([0, 0.6]), 0.26, 0.28), "main", "ribs", "light"),
        *[Patch(ellipse(x, -0.9, 0.1, 0.16, turn, 10), "third") for x, turn in ((-0.1, -30), (0.1, 30), (0, 0))],
        Patch(polygon((-0.5, 0.5), (0.5, 0.5), (0.38, 1.0), (-0.38, 1.0)), "second"),
    ],
    "sunflower": [
        Patch(limb(np.array([0, -0.3]), np.array([0.05, 1.0]), 0.06, 0.08), "third"),
        Patch(ellipse(0.3, 0.55, 0.28, 0.12, -30, 14), "third"),
        Patch(ellipse(-0.24, 0.72, 0.28, 0.12, 30, 14), "third"),
        *_petals(13),
        Patch(ellipse(0, -0.42, 0.3, 0.3), "second", "checks", "black"),
    ],
    "sailboat": [
        _line(0, -1.0, 0, 0.5, 0.04, "dark"),
        Patch(polygon((0.08, -0.9), (0.75, 0.3), (0.08, 0.3)), "second", "bands", "main"),
        Patch(polygon((-0.08, -0.7), (-0.6, 0.3), (-0.08, 0.3)), "white"),
        Patch(polygon((-0.95, 0.42), (0.95, 0.42), (0.62, 0.85), (-0.65, 0.85)), "main"),
        _line(-0.85, 0.5, 0.85, 0.5, 0.035, "light"),
        Patch(polygon((0, -1.0), (-0.3, -0.9), (0, -0.8)), "third"),
    ],
    "balloon": [
        *_pair(limb(np.array([0.25, 0.25]), np.array([0.14, 0.8]), 0.02, 0.02), "black"),
        Patch(smooth((0, -1.15), (0.75, -0.95), (0.95, -0.2), (0.2, 0.55), (-0.2, 0.55), (-0.95, -0.2), (-0.75, -0.95)),
             "main", "bands", "second"),
        Patch(ellipse(0, -0.3, 0.2, 0.62), "third"),
        Patch(polygon((-0.18, 0.72), (0.18, 0.72), (0.15, 1.0), (-0.15, 1.0)), "dark"),
    ],
    "rocket": [
        Patch(smooth((-0.22, 0.6), (-0.3, 0.9), (0, 1.25), (0.3, 0.9), (0.22, 0.6)), "third"),
        *_pair(polygon((0.2, 0.05), (0.62, 0.5), (0.58, 0.8), (0.2, 0.6)), "second"),
        Patch(smooth((0, -1.2), (0.38, -0.6), (0.36, 0.3), (0.26, 0.72), (-0.26, 0.72), (-0.36, 0.3), (-0.38, -0.6)),
             "main"),
        Patch(polygon((0, -0.98), (0.2, -0.68), (-0.2, -0.68)), "second"),
        Patch(ellipse(0, -0.22, 0.19, 0.19, points=14), "dark"),
        Patch(ellipse(0, -0.22, 0.13, 0.13, points=12), "light"),
        _line(-0.3, 0.3, 0.3, 0.3, 0.05, "second"),
    ],
}  # fmt: skip
