"""Annotations that detections cannot be scored by are refused, with the fault named."""

import copy
import json

import pytest
from coco_cases import Case

from igdet.evaluation.coco_annotations import read_annotations
from igdet.utils.coco_json import CocoJsonError


@pytest.fixture(scope="module")
def truth():
    case = next(case for case in map(Case, range(99)) if len(case.truth["annotations"]) > 3)
    return case.truth


@pytest.fixture
def read(tmp_path):
    """Write content and read it as annotations of a task."""

    def write_and_read(content, task="bbox", lvis=False):
        path = tmp_path / "truth.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_annotations(path, task, lvis)

    return write_and_read


def test_sound_annotations_are_read(truth, read):
    assert read(truth, "segm") == truth
    assert read(truth | {"annotations": []})["annotations"] == []


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"images": null}', '{"images": [1]}'])
def test_another_file_is_refused(read, content):
    with pytest.raises(CocoJsonError, match=r"truth\.json(:| is no) "):
        read(content)


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("images", {"id": "1"}, "entry 0 of 'images' has the id '1'; expected a whole number"),
        ("annotations", {"id": -1}, "entry 0 of 'annotations' has the id -1; expected a whole number, ids from 0 on"),
        ("annotations", {"image_id": -1}, "annotation 1 of image -1: its image is not in the file"),
        ("annotations", {"category_id": -1}, "annotation 1 of image 40: its category -1 is not in the file"),
        ("annotations", {"area": float("nan")}, "annotation 1 of image 40: its area is nan"),
        ("annotations", {"bbox": [0, 0, 1, "1"]}, "annotation 1 of image 40: its bbox .* is not four finite numbers"),
    ],
)
def test_a_bad_value_is_named(truth, read, table, change, message):
    content = copy.deepcopy(truth)
    content[table][0] |= change
    with pytest.raises(CocoJsonError, match=message):
        read(content)


def test_a_missing_key_is_named(truth, read):
    content = copy.deepcopy(truth)
    del content["images"][0]["width"], content["annotations"][2]["segmentation"]
    with pytest.raises(CocoJsonError, match=r"entry 0 of 'images' lacks width"):
        read(content)
    content["images"][0]["width"] = 9
    with pytest.raises(CocoJsonError, match=r"entry 2 of 'annotations' lacks segmentation"):
        read(content, "segm")


def test_annotations_that_are_not_federated_are_refused_as_those_of_lvis(truth, read):
    content = copy.deepcopy(truth)
    with pytest.raises(CocoJsonError, match="entry 0 of 'images' lacks neg_category_ids, not_exhaustive_category_ids"):
        read(content, lvis=True)
    for image in content["images"]:
        image |= {"neg_category_ids": [], "not_exhaustive_category_ids": []}
    with pytest.raises(CocoJsonError, match="entry 0 of 'categories' lacks frequency"):
        read(content, lvis=True)
    for category in content["categories"]:
        category["frequency"] = "r"
    assert read(content, lvis=True) == content


@pytest.mark.parametrize("table", ["images", "categories", "annotations"])
def test_an_id_that_stands_twice(truth, read, table):
    with pytest.raises(CocoJsonError, match=f"ids in '{table}' stand more than once"):
        read(truth | {table: truth[table] * 2})


def test_two_classes_of_one_name(truth, read):
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "cat"}]
    with pytest.raises(CocoJsonError, match="the name 'cat' stands in more than one of 'categories'"):
        read(truth | {"categories": categories, "annotations": []})


def test_other_keypoints_than_coco_s(truth, read):
    with pytest.raises(CocoJsonError, match=r"has 9 keypoint numbers; .* so 51 were expected; 7 of 7"):
        read(truth, "keypoints")
