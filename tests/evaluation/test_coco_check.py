"""Detections that cannot be scored are named, before any work."""

import copy
import json

import numpy as np
import pytest
from coco_cases import KEYPOINTS, Case
from hotcoco import COCO

from igdet.evaluation.coco_files import DetectionsError, check_detections, read_detections
from igdet.evaluation.coco_metrics import score_detections


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


def encoded(counts):
    return {"segmentation": {"size": [300, 400], "counts": counts}}


BROKEN = {
    "image": ("bbox", {"image_id": 5555}, "image_id is not in the annotations"),
    "image list": ("bbox", {"image_id": [1]}, "image_id is not in the annotations"),
    "class list": ("bbox", {"category_id": [1]}, "category_id is not in the annotations"),
    "class": ("bbox", {"category_id": 0}, "category_id is not in the annotations"),
    "score": ("bbox", {"score": NAN}, "score is not a finite number"),
    "image true": ("bbox", {"image_id": True}, "image_id is not in the annotations"),
    "class as text": ("segm", {"category_id": "3"}, "category_id is not in the annotations"),
    "score true": ("bbox", {"score": True}, "score is not a finite number"),
    "score of 400 digits": ("keypoints", {"score": 10**400}, "score is not a finite number"),
    "box of true": ("bbox", {"bbox": [True, 0, 1, 1]}, "bbox is not"),
    "score text": ("bbox", {"score": "high"}, "score is not a finite number"),
    "score number as text": ("bbox", {"score": "0.5"}, "score is not a finite number"),
    "score None": ("segm", {"score": None}, "score is not a finite number"),
    "box NaN": ("bbox", {"bbox": [NAN, 0, 1, 1]}, "bbox is not"),
    "box short": ("bbox", {"bbox": [0, 1, 1]}, "bbox is not"),
    "box None": ("bbox", {"bbox": None}, "bbox is not"),
    "box of text": ("bbox", {"bbox": ["0", "1", "1", "1"]}, "bbox is not"),
    "box as text": ("bbox", {"bbox": "0111"}, "bbox is not"),
    "box corners": ("bbox", {"bbox": [50, 50, -20, 10]}, "bbox is not"),
    "box outside": ("bbox", {"bbox": [390, 10, 12, 5]}, "1 pixel outside its image"),
    "box left": ("bbox", {"bbox": [-2, 10, 12, 5]}, "1 pixel outside its image"),
    "mask size": ("segm", {"segmentation": {"size": [400, 300], "counts": "abc"}}, "segmentation is neither"),
    "mask empty": ("segm", {"segmentation": []}, "segmentation is neither"),
    "mask too small": ("segm", encoded([5, 5]), "segmentation is neither"),
    "mask negative": (
        "segm",
        encoded([-1, 120001]),
        "segmentation is neither",
    ),
    "mask number": ("segm", encoded(7), "segmentation is neither"),
    "polygon odd": ("segm", {"segmentation": [[1, 1, 5, 1, 5]]}, "segmentation is neither"),
    "polygon NaN": ("segm", {"segmentation": [[1, 1, 5, 1, 5, NAN]]}, "segmentation is neither"),
    "polygon text": ("segm", {"segmentation": ["1 1 5 1 5 5"]}, "segmentation is neither"),
    "keypoints": ("keypoints", {"keypoints": [1, 2, 1] * 17}, "keypoints are not 3 times"),
    "keypoints NaN": ("keypoints", {"keypoints": [NAN] * 9}, "keypoints are not 3 times"),
}


@pytest.mark.parametrize(("task", "changes", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_detection_is_named(case, task, changes, message):
    with pytest.raises(DetectionsError, match=rf"found\.json: 1 of .* number 3 .*{message}"):
        check(case, task, **changes)


def test_a_box_may_reach_a_pixel_beyond_its_image(case):
    check(case, bbox=[389, 10, 12, 5])


def test_checked_boxes_are_rows_that_score_the_same(case):
    rows = check_detections(case.detections, case.truth, "bbox", "found.json")
    record = case.detections[0]
    assert rows[0].tolist() == [record["image_id"], *record["bbox"], record["score"], record["category_id"]]
    mine, theirs = (score_detections(COCO(case.truth), found, "bbox") for found in (rows, case.detections))
    assert np.array_equal(mine.stats, theirs.stats)
    assert np.array_equal(mine.eval["scores"], theirs.eval["scores"])


def test_images_whose_ids_float64_cannot_tell_apart_stay_apart(case):
    ids = [image["id"] for image in case.truth["images"]]
    renamed = dict(zip(ids, range(2**53, 2**53 + len(ids)), strict=True))
    truth = {**case.truth, "images": [{**image, "id": renamed[image["id"]]} for image in case.truth["images"]]}
    detections = [{**record, "image_id": renamed[record["image_id"]]} for record in case.detections]
    assert check_detections(detections, truth, "bbox", "found.json") is detections


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


def test_a_missing_file_of_detections_is_named(tmp_path):
    with pytest.raises(DetectionsError, match=r"none\.json: there is no such file; expected COCO's list of results"):
        read_detections(tmp_path / "none.json")


def test_a_file_of_detections_is_read(case, tmp_path):
    (tmp_path / "found.json").write_text(json.dumps(case.detections))
    assert read_detections(tmp_path / "found.json") == case.detections


@pytest.mark.parametrize(
    "content", ["[" * 200_000, '[{"score": ' + "9" * 5000 + "}]"], ids=["nested deep", "an endless number"]
)
def test_a_hostile_file_of_detections_is_one_line(tmp_path, content):
    (tmp_path / "found.json").write_text(content)
    with pytest.raises(DetectionsError, match=r"found\.json is no JSON.*; expected COCO's list of results"):
        read_detections(tmp_path / "found.json")


def test_detections_with_a_byte_order_mark_are_read(case, tmp_path):
    (tmp_path / "found.json").write_text(json.dumps(case.detections), "utf-8-sig")
    assert read_detections(tmp_path / "found.json") == case.detections


def test_huge_scores_count_like_others(case):
    huge = [{**record, "score": record["score"] * 2.0**1000} for record in case.detections]  # ties stay ties
    mine, theirs = (
        score_detections(COCO(case.truth), check_detections(found, case.truth, "bbox", "found.json"), "bbox")
        for found in (huge, case.detections)
    )
    assert np.array_equal(mine.stats, theirs.stats)


@pytest.mark.parametrize("strange", [{"id": "x"}, {"area": "x"}, {"iscrowd": []}])
def test_a_field_that_is_not_scored_is_named(case, strange):
    detections = [{**record, **strange} for record in case.detections]
    checked = check_detections(detections, case.truth, "segm", "found.json")
    with pytest.raises(DetectionsError, match=f"cannot be scored: .*{next(iter(strange))}"):
        score_detections(COCO(case.truth), checked, "segm")
