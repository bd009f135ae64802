"""Painting parts on a canvas that remembers which thing owns each pixel."""

import cv2
import numpy as np

from igdet.world.anatomy import Part
from igdet.world.looks import TEXTURES, TILE, TILES_PER_UNIT, Rgb

OVERSAMPLING = 2  # canvas pixels a picture pixel, along each side: smooth edges, and outlines to half a pixel
_RIM = np.ones((3, 3), dtype=np.uint8)  # one canvas pixel to each side
_SUBPIXEL_BITS = 4  # OpenCV takes points as integers, here in 1/16 canvas pixels


class Canvas:
    """A picture in the making.

    Shapes: H, W are the canvas's height and width, OVERSAMPLING times the picture's.

    Attributes:
        pixels: uint8 (H, W, 3), RGB.
        owner: uint8 (H, W), 0 for the background, else the number of the thing seen there.
    """

    def __init__(self, pixels: np.ndarray):
        self.pixels = pixels
        self.owner = np.zeros(pixels.shape[:2], dtype=np.uint8)

    def paint(self, number: int, parts: list[Part], frame: np.ndarray, palette: dict[str, Rgb]) -> None:
        """Paint a thing over what is there.

        Args:
            number: of the thing, 1..255.
            parts: from first painted to last, in the thing's unit frame.
            frame: float64 (2, 3), maps the unit frame to canvas pixels.
            palette: RGB for each paint.
        """
        for part in parts:
            outline = part.outline @ frame[:, :2].T + frame[:, 2]
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
        core = cv2.erode(mask, _RIM, borderType=cv2.BORDER_CONSTANT, borderValue=1)
        shade *= 0.45 + 0.55 * core
        shade += (1 - shade) * (1 - mask)  # other things keep their pixels as they are
        np.copyto(region, np.minimum(region * shade[:, :, None], 255).astype(np.uint8))

    def _print_texture(self, part: Part, fixed_point: np.ndarray, frame: np.ndarray, ink: Rgb) -> None:
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
        self.pixels[rows, columns] = region + stencil[:, :, None] * (np.array(ink, dtype=np.float32) - region)

    def _window(self, fixed_point: np.ndarray) -> tuple[slice, slice]:
        """Give the rows and columns that an outline touches, inside the canvas."""
        low = np.maximum(fixed_point[0].min(axis=0) >> _SUBPIXEL_BITS, 0)
        high = np.minimum((fixed_point[0].max(axis=0) >> _SUBPIXEL_BITS) + 2, self.owner.shape[::-1])
        return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _canvas_to_tile(frame: np.ndarray, tiles_per_unit: float, corner: tuple[int, int]) -> np.ndarray:
    """Give the map (2, 3) from pixels of a window, whose corner is given as (x, y), to pixels of a pattern's tile."""
    to_unit = cv2.invertAffineTransform(frame)
    to_unit[:, 2] += to_unit[:, :2] @ corner
    to_tile = to_unit * (tiles_per_unit * TILE)
    to_tile[:, 2] += 0.5 * TILE  # the middle of the thing lies in the middle of a tile
    return to_tile
