"""Boxes that are no x, y, width, height are recognized over a file, and honest ones never are."""

import json

import numpy as np
import pytest

from igdet.formats.coco.faults import reach_beyond, require_usual_boxes
from igdet.formats.coco.reading import CocoJsonError

SIZE = np.array([200.0, 100.0])


def random_boxes(count=60):
    """Objects anywhere in images of 200 x 100, all inside."""
    random = np.random.default_rng(0)
    corner = random.uniform(0, 0.7, (count, 2)) * SIZE
    return np.hstack([corner, random.uniform(0.1, 1, (count, 2)) * (SIZE - corner)])


def as_corners(boxes):
    return np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])


def as_centers(boxes):
    return np.hstack([boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]])


def as_fractions(boxes):
    return boxes / np.tile(SIZE, 2)


def check(boxes):
    require_usual_boxes("toys.json", boxes, np.tile(SIZE, (len(boxes), 1)))


OTHERS = [(as_corners, "corners x1, y1, x2, y2"), (as_centers, "center x, center y"), (as_fractions, "fractions")]


@pytest.mark.parametrize(("written", "reading"), OTHERS)
def test_boxes_of_another_kind_are_named(written, reading):
    with pytest.raises(CocoJsonError, match=rf"toys\.json: .*likely {reading}"):
        check(written(random_boxes()))


def test_a_few_wrong_boxes_do_not_hide_the_kind():
    boxes = as_corners(random_boxes())
    boxes[:2] = [150, 50, 20, 20]
    with pytest.raises(CocoJsonError, match="60 reach far beyond their images, as the former 58 lie inside"):
        check(boxes)


# Of objects that an image was cut from: as many reach beyond on the left as on the right, and few would do as corners.
CUT = random_boxes() * [1.6, 1.6, 0.5, 0.5] - [40, 20, 0, 0]
WHOLE = np.tile([0.0, 0, 200, 100], (50, 1))
SHIFTED = np.tile([8.0, 4, 200, 100], (50, 1))
HONEST = {
    "inside": random_boxes(),
    "of whole images": WHOLE,
    "a little beyond": SHIFTED,
    "cut": CUT,
    "two mistakes": np.vstack([random_boxes(), [[100, 50, 190, 90], [90, 50, 190, 90]]]),
}


@pytest.mark.parametrize("boxes", HONEST.values(), ids=HONEST)
def test_honest_boxes_are_not_taken_for_others(boxes):
    check(boxes)


def test_what_reaches_beyond():
    boxes = np.array([[0, 0, 201, 101], [-1, -1, 5, 5], [0, 0, 201.5, 50], [0, -1.5, 10, 10]], float)
    assert reach_beyond(boxes, np.tile(SIZE, (4, 1))).tolist() == [False, False, True, True]


REAL = [
    "coco/annotations/instances_train2017",
    "coco/annotations/person_keypoints_val2017",
    "animals/annotations/animals_train",
    "animals/annotations/animals_test",
    "coco-eval-fixture/instances_val2014_100",
]


@pytest.mark.parametrize("file", REAL)
def test_real_boxes_as_they_are_and_as_others(real_data, file):
    content = json.loads((real_data / f"{file}.json").read_bytes())
    images = {image["id"]: (image["width"], image["height"]) for image in content["images"]}
    boxes = np.array([row["bbox"] for row in content["annotations"]], float)
    sizes = np.array([images[row["image_id"]] for row in content["annotations"]], float)
    require_usual_boxes(file, boxes, sizes)
    for written in (as_corners, as_centers):
        with pytest.raises(CocoJsonError, match="likely c"):
            require_usual_boxes(file, written(boxes), sizes)
