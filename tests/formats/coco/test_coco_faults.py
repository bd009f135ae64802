"""Faults of annotations, one by one."""

import pytest

from igdet.formats.coco.faults import fault_of

TRIANGLE = [5, 6, 25, 6, 25, 16]
POSE = [1, 2, 2, 3, 4, 2, 5, 6, 2]
GOOD = {"image_id": 1, "category_id": 7, "bbox": [5, 6, 20, 10], "segmentation": [TRIANGLE], "keypoints": POSE}


def fault(change):
    """What is wrong with an annotation of an image of 50 x 40 whose category has three keypoints."""
    return fault_of(GOOD | change, {1: (50, 40)}, {7: 3})


BAD = {
    "its image is not in the file": {"image_id": 9},
    "its category 5 is not in the file": {"category_id": 5},
    "has no area": {"bbox": [5, 6, 0, 10]},
    "is not four finite numbers": {"bbox": [5, 6, float("nan"), 10]},
    "four finite numbers": {"bbox": []},
    "None is not four": {"bbox": None},
    "lies outside the image of 50 x 40": {"bbox": [60, 6, 5, 5]},
    "has 6 keypoint numbers; its category has 3 keypoints": {"keypoints": [1, 2, 2, 3, 4, 2]},
    "has no polygon of at least three points": {"segmentation": [[1, 2, 3, 4]]},
    "has no polygon of": {"segmentation": 5},
    "has a polygon that is not of finite": {"segmentation": [TRIANGLE, [5, 6, 25, 6, 25, float("nan")]]},
    "not of finite numbers alone": {"segmentation": [[5, 6, 25, 6, 25, "16"]]},
    "no run-length mask of the image of 50 x 40": {"segmentation": {"size": [50, 40], "counts": [2000]}},
    "run-length mask of the image of 50 x 40": {"segmentation": {"size": [40, 50], "counts": "R1"}},
    "its keypoints 5 are no list": {"keypoints": 5},
    "its keypoints are not finite numbers": {"keypoints": [float("inf"), 2, 2, 3, 4, 2, 5, 6, 2]},
    "has no polygon of at least": {"segmentation": TRIANGLE},
    "has 0 keypoint numbers": {"keypoints": None},
    'is marked "ignore"': {"ignore": 1},
    "its area is nan; expected square pixels": {"area": float("nan")},
    "its area is -1;": {"area": -1},
    "its iscrowd is None; expected 0 or 1": {"iscrowd": None},
    "its iscrowd is '1'": {"iscrowd": "1"},
}


@pytest.mark.parametrize(("why", "change"), BAD.items(), ids=[str(change) for change in BAD.values()])
def test_a_fault_is_named(why, change):
    assert why in fault(change)


FINE = {
    "as it is": {},
    "a box that begins before its image": {"bbox": [-5, -6, 20, 10]},
    "a box that ends behind it": {"bbox": [45, 35, 20, 10]},
    "a box around it": {"bbox": [-100, -100, 300, 300]},
    "a crowd of run lengths without keypoints": {
        "iscrowd": 1,
        "keypoints": [],
        "segmentation": {"size": [40, 50], "counts": [2000]},
    },
    "run lengths as text": {"segmentation": {"size": [40, 50], "counts": "`n1"}},
    "a polygon of two points beside another": {"segmentation": [[1, 2, 3, 4], TRIANGLE]},
}


@pytest.mark.parametrize("change", FINE.values(), ids=FINE)
def test_what_is_no_fault(change):
    assert fault(change) == ""
