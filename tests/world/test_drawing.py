"""The canvas: who owns which pixels, where patterns go."""

import numpy as np

from igdet.world.anatomy import Patch, polygon
from igdet.world.drawing import Canvas

SQUARE = polygon((-1, -1), (1, -1), (1, 1), (-1, 1))
PALETTE = {"main": (200, 0, 0), "black": (0, 0, 0)}


def frame(x, y, radius):
    return np.array([[radius, 0, x], [0, radius, y]], dtype=np.float64)


def blank(side=40):
    return Canvas(np.full((side, side, 3), 100, dtype=np.uint8))


def test_a_thing_owns_what_it_paints_and_loses_what_is_painted_over():
    canvas = blank()
    canvas.paint(1, [Patch(SQUARE, "main")], frame(10, 10, 5), PALETTE)
    assert np.count_nonzero(canvas.owner == 1) == 11 * 11  # 5..15, both ends included
    assert tuple(canvas.pixels[10, 10]) == (200, 0, 0) and tuple(canvas.pixels[30, 30]) == (100, 100, 100)
    canvas.paint(2, [Patch(SQUARE, "black")], frame(15, 10, 5), PALETTE)
    assert np.count_nonzero(canvas.owner == 1) == 5 * 11 and np.count_nonzero(canvas.owner == 2) == 11 * 11


def test_a_pattern_stays_within_its_part():
    canvas = blank()
    canvas.paint(1, [Patch(SQUARE, "main", "checks", "black")], frame(20, 20, 10), PALETTE)
    inside = canvas.pixels[canvas.owner == 1]
    assert 0.3 < (inside[:, 0] < 100).mean() < 0.7  # half of a chess board is ink
    assert (canvas.pixels[:8] == 100).all() and (canvas.pixels[:, 32:] == 100).all()


def test_things_may_lie_beyond_the_edge():
    canvas = blank()
    canvas.paint(1, [Patch(SQUARE, "main", "checks", "black")], frame(-200, 20, 10), PALETTE)
    assert not canvas.owner.any() and (canvas.pixels == 100).all()
    canvas.paint(1, [Patch(SQUARE, "main", "checks", "black")], frame(0, 0, 10), PALETTE)
    assert np.count_nonzero(canvas.owner) == 11 * 11


def test_light_brightens_the_near_side_and_leaves_other_things_alone():
    canvas = blank()
    canvas.paint(1, [Patch(SQUARE, "main")], frame(20, 20, 10), PALETTE)
    canvas.model(1, np.array([0.3, 0.0]))  # from the right
    assert canvas.pixels[20, 28, 0] > 200 > canvas.pixels[20, 12, 0]
    assert (canvas.pixels[:8] == 100).all() and (canvas.pixels[:, 32:] == 100).all()
