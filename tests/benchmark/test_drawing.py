"""What is drawn lies where it should."""

import numpy as np
import pytest
from pycocotools import mask as masks

from igdet.benchmark.drawing import COLORS, SIDE, draw

GREY = np.full((40, 80, 3), 100, np.uint8)  # shown at SIDE / 80 = 4 times its size
BOX = {"bbox": [20, 10, 20, 20], "category_id": 1}
SQUARE = [20, 10, 40, 10, 40, 30, 20, 30]


def at(canvas, x, y):
    """The colour at a place of the original image."""
    return tuple(int(value) for value in canvas[4 * y, 4 * x])


def test_box_is_drawn_at_the_larger_scale():
    canvas = draw(GREY, [BOX], {1: "cat"})
    assert canvas.shape == (160, SIDE, 3)
    assert at(canvas, 40, 20) == COLORS[1]
    assert at(canvas, 30, 20) == at(canvas, 60, 35) == (100, 100, 100)


def test_large_images_shrink():
    assert draw(np.zeros((480, 640, 3), np.uint8), [], {}).shape == (240, SIDE, 3)


@pytest.mark.parametrize(
    "segmentation",
    [
        [SQUARE],
        masks.frPyObjects([SQUARE], 40, 80)[0],
        {"size": [40, 80], "counts": [20 * 40 + 10, *([20, 20] * 19), 20, 40 * 80 - (20 * 40 + 10) - 39 * 20]},
    ],
)
def test_masks_of_all_three_forms_tint_their_pixels(segmentation):
    canvas = draw(GREY, [{**BOX, "segmentation": segmentation}], {1: "cat"})
    tinted = tuple(int(0.55 * 100 + 0.45 * value) for value in COLORS[1])
    assert at(canvas, 30, 20) == tinted
    assert at(canvas, 60, 20) == (100, 100, 100)


def test_unlabelled_keypoints_are_left_out():
    canvas = draw(GREY, [{**BOX, "keypoints": [30, 20, 2, 60, 20, 0]}], {1: "cat"})
    assert at(canvas, 30, 20) == COLORS[1]
    assert at(canvas, 60, 20) == (100, 100, 100)


def test_a_name_at_the_right_edge_is_seen_whole():
    def of_name(x):
        canvas = draw(GREY, [{"bbox": [x, 20, 4, 4], "category_id": 1}], {1: "hair drier"})
        return (canvas[:78] != 100).any(axis=2).sum()  # above the box

    assert of_name(75) == of_name(20) > 0
