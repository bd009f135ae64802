"""Detections that cannot be scored are named, before any work."""

import copy
import json

import pytest
from coco_cases import KEYPOINTS, Case

from igdet.evaluation.coco_check import DetectionsError, check_detections, read_detections


@pytest.fixture(scope="module")
def case():
    return next(case for case in map(Case, range(99)) if len(case.detections) > 5)


def check(case, task="bbox", **changes):
    detections = copy.deepcopy(case.detections)
    detections[3].update(changes)
    check_detections(detections, case.truth, task, "found.json", KEYPOINTS)


@pytest.mark.parametrize("task", ["bbox", "segm", "keypoints"])
def test_sound_detections_pass_and_none_as_well(case, task):
    check(case, task)
    check_detections([], case.truth, task, "found.json", KEYPOINTS)


NAN = float("nan")
BROKEN = {
    "image": ("bbox", {"image_id": 5555}, "image_id is not in the annotations"),
    "class": ("bbox", {"category_id": 0}, "category_id is not in the annotations"),
    "score": ("bbox", {"score": NAN}, "score is not a finite number"),
    "score text": ("bbox", {"score": "high"}, "score is not a finite number"),
    "box NaN": ("bbox", {"bbox": [NAN, 0, 1, 1]}, "bbox is not"),
    "box short": ("bbox", {"bbox": [0, 1, 1]}, "bbox is not"),
    "box corners": ("bbox", {"bbox": [50, 50, -20, 10]}, "bbox is not"),
    "box outside": ("bbox", {"bbox": [390, 10, 12, 5]}, "1 pixel outside its picture"),
    "box left": ("bbox", {"bbox": [-2, 10, 12, 5]}, "1 pixel outside its picture"),
    "mask size": ("segm", {"segmentation": {"size": [400, 300], "counts": "abc"}}, "segmentation is neither"),
    "mask empty": ("segm", {"segmentation": []}, "segmentation is neither"),
    "keypoints": ("keypoints", {"keypoints": [1, 2, 1] * 17}, "keypoints are not 3 times"),
    "keypoints NaN": ("keypoints", {"keypoints": [NAN] * 9}, "keypoints are not 3 times"),
}


@pytest.mark.parametrize(("task", "changes", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_detection_is_named(case, task, changes, message):
    with pytest.raises(DetectionsError, match=rf"found\.json: 1 of .* number 3 .*{message}"):
        check(case, task, **changes)


def test_a_box_may_reach_a_pixel_beyond_its_picture(case):
    check(case, bbox=[389, 10, 12, 5])


def test_a_missing_field_is_named(case):
    detections = copy.deepcopy(case.detections)
    del detections[0]["keypoints"], detections[4]["keypoints"]
    with pytest.raises(DetectionsError, match=r"2 of .* number 0 .*it lacks one of .*keypoints"):
        check_detections(detections, case.truth, "keypoints", "found.json", KEYPOINTS)


@pytest.mark.parametrize("text", ["", "{}", "[1]", "no JSON"])
def test_a_file_of_something_else_is_refused(tmp_path, text):
    (tmp_path / "found.json").write_text(text)
    with pytest.raises(DetectionsError, match=r"found\.json"):
        read_detections(tmp_path / "found.json")


def test_a_file_of_detections_is_read(case, tmp_path):
    (tmp_path / "found.json").write_text(json.dumps(case.detections))
    assert read_detections(tmp_path / "found.json") == case.detections
