"""Painting parts on a canvas that remembers which thing owns each pixel, in colours and patterns."""

from colorsys import hsv_to_rgb
from typing import NamedTuple

import cv2
import numpy as np

from igdet.world.anatomy import Patch

# Tone: range of saturation, range of value.
TONES: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "vivid": ((0.55, 1.0), (0.7, 1.0)),
    "deep": ((0.35, 0.9), (0.2, 0.55)),
    "pale": ((0.05, 0.4), (0.8, 1.0)),
    "dull": ((0.05, 0.35), (0.35, 0.8)),
    "skin": ((0.25, 0.6), (0.4, 1.0)),
}
ANY_TONE = ("vivid", "deep", "pale", "dull")
OVERSAMPLING = 2  # canvas pixels an image pixel, along each side: smooth edges, and outlines to half a pixel
_RIM = np.ones((3, 3), dtype=np.uint8)  # one canvas pixel to each side
_SUBPIXEL_BITS = 4  # OpenCV takes points as integers, here in 1/16 canvas pixels


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
        RGB, 0..255, for each paint that `Patch` knows.
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
    red, green, blue = (255 * channel for channel in rgb)
    return red, green, blue


def _mix(colour: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = ((1 - share) * a + share * b for a, b in zip(colour, other, strict=True))
    return red, green, blue


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


class Canvas:
    """An image in the making.

    Shapes: H, W are the canvas's height and width, OVERSAMPLING times the image's.

    Attributes:
        pixels: uint8 (H, W, 3), RGB.
        owner: uint8 (H, W), 0 for the background, else the number of the thing seen there.
    """

    def __init__(self, pixels: np.ndarray):
        self.pixels = pixels
        self.owner: np.ndarray = np.zeros(pixels.shape[:2], dtype=np.uint8)

    def paint(self, number: int, parts: list[Patch], frame: np.ndarray, palette: dict[str, Rgb]) -> None:
        """Paint a thing over what is there.

        Args:
            number: of the thing, 1..255.
            parts: from first painted to last, in the thing's unit frame.
            frame: float64 (2, 3), maps the unit frame to canvas pixels.
            palette: RGB for each paint.
        """
        for part in parts:
            outline = part.outline @ frame[:, :2].T + frame[:, 2]
            # OpenCV takes coordinates in fractions of a pixel as whole numbers: smooth edges even of small things.
            fixed_point = np.round(outline * 2**_SUBPIXEL_BITS).astype(np.int32)[None]
            cv2.fillPoly(self.pixels, fixed_point, palette[part.paint], cv2.LINE_AA, _SUBPIXEL_BITS)
            cv2.fillPoly(self.owner, fixed_point, number, cv2.LINE_8, _SUBPIXEL_BITS)
            if part.texture:
                self._print_texture(part, fixed_point, frame, palette[part.ink])

    def model(self, number: int, light: np.ndarray) -> None:
        """Give a thing volume: darken its rim, shade it away from the light.

        Args:
            number: of the thing.
            light: float64 (2,), towards the light, x right, y down; its length is the contrast, 0..1.
        """
        mask = (self.owner == number).astype(np.uint8)
        x, y, width, height = cv2.boundingRect(mask)
        region, mask = self.pixels[y : y + height, x : x + width], mask[y : y + height, x : x + width]
        across, down = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
        shade = 1 + np.float32(light[0]) * across + np.float32(light[1]) * down[:, None]
        # A plane of light, 1 in the middle, over the thing's box; its rim, what erosion takes off, at 0.45 of that.
        core = cv2.erode(mask, _RIM, borderType=cv2.BORDER_CONSTANT, borderValue=1)
        shade *= 0.45 + 0.55 * core
        shade += (1 - shade) * (1 - mask)  # other things keep their pixels as they are
        np.copyto(region, np.minimum(region * shade[:, :, None], 255).astype(np.uint8))

    def _print_texture(self, part: Patch, fixed_point: np.ndarray, frame: np.ndarray, ink: Rgb) -> None:
        """Print the part's pattern, which turns and grows with the thing, inside its outline."""
        rows, columns = self._window(fixed_point)
        region = self.pixels[rows, columns]
        if not region.size:
            return
        height, width = region.shape[:2]
        stencil = np.zeros((height, width), dtype=np.float32)
        corner = (columns.start, rows.start)
        shifted = fixed_point - np.array(corner, dtype=np.int32) * 2**_SUBPIXEL_BITS
        cv2.fillPoly(stencil, shifted, 1.0, cv2.LINE_AA, _SUBPIXEL_BITS)
        to_tile = _canvas_to_tile(frame, TILES_PER_UNIT[part.texture], corner)
        stencil *= cv2.warpAffine(
            TEXTURES[part.texture], to_tile, (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_WRAP,
        )  # fmt: skip
        # A blend: region where the stencil is 0, ink where it is 1.
        self.pixels[rows, columns] = region + stencil[:, :, None] * (np.array(ink, dtype=np.float32) - region)

    def _window(self, fixed_point: np.ndarray) -> tuple[slice, slice]:
        """Return the rows and columns that an outline touches, inside the canvas."""
        low = np.maximum(fixed_point[0].min(axis=0) >> _SUBPIXEL_BITS, 0)
        high = np.minimum((fixed_point[0].max(axis=0) >> _SUBPIXEL_BITS) + 2, self.owner.shape[::-1])
        return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _canvas_to_tile(frame: np.ndarray, tiles_per_unit: float, corner: tuple[int, int]) -> np.ndarray:
    """Return the map (2, 3) from pixels of a window, whose corner is given as (x, y), to pixels of a pattern's tile."""
    to_unit = cv2.invertAffineTransform(frame)
    # A window's pixel p is the canvas's p + corner: M (p + corner) + b = M p + (b + M corner).
    to_unit[:, 2] += to_unit[:, :2] @ np.asarray(corner)
    to_tile = to_unit * (tiles_per_unit * TILE)
    to_tile[:, 2] += 0.5 * TILE  # the middle of the thing lies in the middle of a tile
    return to_tile
