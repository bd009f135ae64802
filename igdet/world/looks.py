"""Colours and patterns: what a thing's paints mean on one picture."""

from colorsys import hsv_to_rgb
from typing import NamedTuple

import numpy as np

# Tone: range of saturation, range of value.
TONES: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "vivid": ((0.55, 1.0), (0.7, 1.0)),
    "deep": ((0.35, 0.9), (0.2, 0.55)),
    "pale": ((0.05, 0.4), (0.8, 1.0)),
    "dull": ((0.05, 0.35), (0.35, 0.8)),
    "skin": ((0.25, 0.6), (0.4, 1.0)),
}
ANY_TONE = ("vivid", "deep", "pale", "dull")


class Colour(NamedTuple):
    """A tone and a range of hues in degrees; hues beyond 360 wrap."""

    tone: str
    hue_from: float
    hue_to: float


# The three colours of each class. The ranges are wide and overlap: hue hints at the class and does not tell it.
LOOKS: dict[str, tuple[Colour, Colour, Colour]] = {
    "goldfish": (Colour("vivid", -20, 80), Colour("vivid", 0, 100), Colour("pale", 0, 360)),
    "angelfish": (Colour("pale", 0, 240), Colour("deep", 150, 330), Colour("pale", 0, 360)),
    "shark": (Colour("dull", 140, 290), Colour("pale", 150, 270), Colour("pale", 0, 360)),
    "owl": (Colour("dull", 0, 110), Colour("vivid", 0, 60), Colour("vivid", 30, 90)),
    "parrot": (Colour("vivid", -30, 170), Colour("vivid", 120, 320), Colour("vivid", 20, 80)),
    "penguin": (Colour("deep", 150, 320), Colour("pale", 0, 360), Colour("vivid", 10, 60)),
    "butterfly": (Colour("vivid", 170, 400), Colour("vivid", 0, 200), Colour("pale", 0, 360)),
    "ladybug": (Colour("vivid", -50, 70), Colour("deep", 0, 360), Colour("pale", 0, 360)),
    "bee": (Colour("vivid", 10, 110), Colour("deep", 0, 360), Colour("pale", 0, 360)),
    "mushroom": (Colour("vivid", -70, 60), Colour("pale", 0, 100), Colour("pale", 0, 360)),
    "cactus": (Colour("deep", 60, 190), Colour("dull", 0, 60), Colour("vivid", 270, 420)),
    "sunflower": (Colour("vivid", 10, 90), Colour("deep", 0, 70), Colour("deep", 70, 170)),
    "sailboat": (Colour("vivid", 150, 400), Colour("pale", 0, 360), Colour("vivid", 0, 360)),
    "balloon": (Colour("vivid", 0, 360), Colour("vivid", 0, 360), Colour("vivid", 0, 360)),
    "rocket": (Colour("pale", 120, 360), Colour("vivid", -60, 60), Colour("vivid", 0, 60)),
    "dancer": (Colour("vivid", 0, 360), Colour("deep", 0, 360), Colour("skin", 10, 35)),
}

# Probability that an individual has a colour of any tone and hue instead of its class's.
STRAY = 0.3

Rgb = tuple[float, float, float]  # 0..255


def draw_palette(name: str, rng: np.random.Generator) -> dict[str, Rgb]:
    """Draw one thing's colours.

    Args:
        name: its class.
        rng: source of chance.

    Returns:
        RGB, 0..255, for each paint that `Part` knows.
    """
    main, second, third = (_draw(colour, rng) for colour in LOOKS[name])
    return {
        "main": main,
        "second": second,
        "third": third,
        "dark": _mix(main, (0, 0, 0), 0.45),
        "light": _mix(main, (255, 255, 255), 0.6),
        "white": (245, 243, 238),
        "black": (32, 28, 36),
    }


def _draw(colour: Colour, rng: np.random.Generator) -> Rgb:
    if rng.random() < STRAY:
        colour = Colour(ANY_TONE[rng.integers(len(ANY_TONE))], 0, 360)
    (low_s, high_s), (low_v, high_v) = TONES[colour.tone]
    u = rng.random(3)
    hue = colour.hue_from + (colour.hue_to - colour.hue_from) * u[0]
    rgb = hsv_to_rgb(hue / 360 % 1, low_s + (high_s - low_s) * u[1], low_v + (high_v - low_v) * u[2])
    return tuple(255 * channel for channel in rgb)


def _mix(colour: Rgb, other: Rgb, share: float) -> Rgb:
    return tuple((1 - share) * a + share * b for a, b in zip(colour, other, strict=True))


TILE = 64  # side of a pattern's tile in pixels; a tile repeats without seams


def _make_textures() -> dict[str, np.ndarray]:
    """Make the patterns: float32 (TILE, TILE), 0 = ground, 1 = ink."""
    y, x = np.mgrid[0:TILE, 0:TILE] / TILE
    near_centre = np.hypot(x - 0.5, y - 0.5)
    zigzag = np.abs((2 * x) % 2 - 1) / 2
    patterns = {
        "bands": np.abs(x - 0.5) < 0.22,
        "ribs": np.abs(x - 0.5) < 0.12,
        "dots": near_centre < 0.27,
        "checks": (x < 0.5) ^ (y < 0.5),
        "chevrons": (y - zigzag) % 1 < 0.35,
        "scales": np.abs(np.hypot(x - 0.5, y) - 0.5) < 0.09,
    }
    return {name: np.asarray(pattern, dtype=np.float32) for name, pattern in patterns.items()}


TEXTURES = _make_textures()
TILES_PER_UNIT = {"bands": 2.6, "ribs": 5.0, "dots": 2.6, "checks": 5.0, "chevrons": 3.5, "scales": 4.5}
