"""Kinds of keypoint errors, by hand: of one object, and summed up by body part."""

import numpy as np
import pytest
from hotcoco import COCO

from igdet.evaluation.coco_metrics import score_detections
from igdet.evaluation.detection_errors import analyse
from igdet.evaluation.keypoint_errors import keypoint_kinds


# Area 100, sigma 0.5: ks = exp(-d^2 / 200). d = 0: 1; d = 8: 0.73; d = 30: 0.01. Left and right are keypoints 0 and 1.
@pytest.mark.parametrize(
    ("x", "kind"), [(0, "good"), (8, "jitter"), (100, "inversion"), (200, "swap"), (300, "swap"), (50, "miss")]
)
def test_kinds_of_keypoint_errors(x, kind):
    truth = np.array([[0, 0, 2], [100, 0, 2]], float)
    other = np.array([[200, 0, 2], [300, 0, 2]], float)
    points = np.array([[x, 0], [100, 0]], float)
    assert keypoint_kinds(points, truth, 100, np.array([0.5, 0.5]), [1, 0], [(other, 100)]) == [kind, "good"]


def test_the_most_similar_keypoint_decides():
    # 6 from its own, 4 from the other side's: 0.84 and 0.92.
    truth = np.array([[0, 0, 2], [10, 0, 2]], float)
    points = np.array([[6, 0], [10, 0]], float)
    assert keypoint_kinds(points, truth, 100, np.array([0.5, 0.5]), [1, 0]) == ["inversion", "good"]
    truth[1, 2] = 0  # without a label it cannot be meant
    assert keypoint_kinds(points, truth, 100, np.array([0.5, 0.5]), [1, 0]) == ["jitter", None]


@pytest.mark.parametrize(("area", "kind"), [(100, "miss"), (10_000, "swap")])
def test_another_object_is_as_near_as_its_own_size_says(area, kind):
    truth, other = np.array([[0, 0, 2]], float), np.array([[100, 0, 2]], float)  # d = 60: ks 0, 0.84
    assert keypoint_kinds(np.array([[40, 0]], float), truth, 100, np.array([0.5]), [0], [(other, area)]) == [kind]


def test_keypoints_without_label_have_no_kind():
    truth = np.array([[0, 0, 0], [100, 0, 2]], float)
    assert keypoint_kinds(truth[:, :2], truth, 100, np.array([0.5, 0.5]), [1, 0])[0] is None


def person(number, image, *xs):
    """Three keypoints in a row; None has no label."""
    points = [value for x in xs for value in ((0, 0, 0) if x is None else (x, 50, 2))]
    seen = sum(x is not None for x in xs)
    box = {"bbox": [0, 40, 400, 20], "area": 100, "iscrowd": 0}
    return {"id": number, "image_id": image, "category_id": 1, "keypoints": points, "num_keypoints": seen, **box}


def test_shares_by_part():
    truth = {
        "images": [{"id": image, "width": 400, "height": 100} for image in (1, 2)],
        "categories": [{"id": 1, "name": "person", "keypoints": ["nose", "left_eye", "right_eye"]}],
        "annotations": [person(1, 1, 50, 0, 100), person(2, 2, None, 0, 100)],
    }
    found = [
        {**person(0, 2, 200, 0, 108), "score": 0.9},  # the second, one jitter
        {**person(0, 1, 50, 0, 0), "score": 0.8},  # the first, its right eye on its left one
        {**person(0, 1, 300, 300, 300), "score": 0.7},  # nobody
    ]
    sigmas = (0.5, 0.5, 0.5)
    metrics, details = analyse(
        score_detections(COCO(truth), found, "keypoints", sigmas), "keypoints", truth, found, sigmas
    )
    assert metrics["keypoints-good"] == pytest.approx(100 * 3 / 5)
    assert (metrics["keypoints-jitter"], metrics["keypoints-inversion"]) == (20, 20)
    assert (metrics["good-nose"], metrics["good-left_eye"], metrics["good-right_eye"]) == (100, 100, 0)
    assert (metrics["jitter-right_eye"], metrics["inversion-right_eye"], metrics["miss-nose"]) == (50, 50, 0)
    assert set(details["images"]) == {1, 2}


def test_a_pose_below_an_oks_of_one_half_is_looked_at():
    truth = {
        "images": [{"id": 1, "width": 400, "height": 100}],
        "categories": [{"id": 1, "name": "person", "keypoints": ["nose", "left_eye", "right_eye"]}],
        "annotations": [person(1, 1, 50, 0, 100), {**person(2, 1), "keypoints": [], "area": 9}],
    }
    found = [{**person(0, 1, 50, 100, 0), "score": 0.9}]  # the eyes on each other: an OKS of 1/3
    sigmas = (0.5, 0.5, 0.5)
    metrics, _ = analyse(score_detections(COCO(truth), found, "keypoints", sigmas), "keypoints", truth, found, sigmas)
    assert (metrics["good-nose"], metrics["inversion-left_eye"], metrics["inversion-right_eye"]) == (100, 100, 100)


def test_nothing_found_has_no_shares():
    truth = {
        "images": [{"id": 1, "width": 400, "height": 100}],
        "categories": [{"id": 1, "name": "person", "keypoints": ["nose", "left_eye", "right_eye"]}],
        "annotations": [person(1, 1, 50, 0, 100)],
    }
    sigmas = (0.5, 0.5, 0.5)
    metrics, _ = analyse(score_detections(COCO(truth), [], "keypoints", sigmas), "keypoints", truth, [], sigmas)
    assert metrics == {}
