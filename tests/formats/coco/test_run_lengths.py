"""Run-length masks: made by hand and by pycocotools."""

import numpy as np
import pytest
from pycocotools import mask as pycocotools_mask

from igdet.formats.coco.faults import is_run_length, pixels_of_text


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ({"size": [3, 4], "counts": [5, 7]}, True),
        ({"size": [3, 4], "counts": "R1"}, True),
        ({"size": [4, 3], "counts": [5, 7]}, False),
        ({"size": [3, 4], "counts": [5, 6]}, False),
        ({"size": [3, 4], "counts": [13, -1]}, False),
        ({"size": [3, 4], "counts": ""}, False),
        ({"size": [3, 4]}, False),
        ([5, 7], False),
    ],
)
def test_run_length_masks_of_a_image_4_wide_and_3_high(mask, expected):
    assert is_run_length(mask, 4, 3) == expected


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 1.0])
def test_the_pixels_of_text_are_those_of_the_image_that_pycocotools_coded(share):
    noise = np.random.default_rng(0).random((300, 200)) < share
    text = pycocotools_mask.encode(np.asfortranarray(noise, np.uint8))["counts"]
    assert pixels_of_text(text) == pixels_of_text(text.decode()) == 300 * 200


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("57", 12),
        ("R1", 34),  # 2 + 32 * 1
        ("1234", 1 + 2 + 3 + (4 + 2)),  # the fourth as a difference from the second
        ("R", -1),  # ends within a number
        ("O", -1),  # below 0
        ("", -1),
    ],
)
def test_pixels_of_text_worked_by_hand(text, expected):
    assert pixels_of_text(text) == expected
