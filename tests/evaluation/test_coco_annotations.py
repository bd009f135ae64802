"""Annotations that detections cannot be scored by are refused, with the fault named."""

import copy
import json

import pytest
from coco_cases import Case

from igdet.evaluation.coco_files import read_annotations
from igdet.evaluation.coco_metrics import engine_of
from igdet.formats.coco.keypoint_names import COCO_NAMES
from igdet.formats.coco.reading import CocoJsonError


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
    with pytest.raises(CocoJsonError, match=f"ids in '{table}' are listed more than once"):
        read(truth | {table: truth[table] * 2})


def test_two_classes_of_one_name(truth, read):
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "cat"}]
    with pytest.raises(CocoJsonError, match="the name 'cat' is in more than one of 'categories'"):
        read(truth | {"categories": categories, "annotations": []})


def test_other_keypoints_than_coco_s(truth, read):
    with pytest.raises(CocoJsonError, match=r"has 9 keypoint numbers; .* so 51 were expected; 7 of 7"):
        read(truth, "keypoints")


def with_names(truth, names):
    """The annotations with one class of three keypoints, of these names."""
    rows = [{**row, "category_id": 1, "iscrowd": 0} for row in truth["annotations"]]
    return {**truth, "categories": [{"id": 1, "name": "cat", "keypoints": names}], "annotations": rows}


def test_other_keypoints_need_their_sigmas(truth, tmp_path, caplog):
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(with_names(truth, ["nose", "L_eye", "R_eye"])))
    with pytest.raises(CocoJsonError, match="its categories have 3 keypoints, and there are 17 sigmas: give one a"):
        read_annotations(path, "keypoints")
    assert read_annotations(path, "keypoints", sigmas=(0.1, 0.1, 0.1))["annotations"]
    assert caplog.text == ""


@pytest.mark.parametrize("names", [3, True, float("nan"), "nose", ["nose", None], [[]]])
def test_keypoint_names_that_are_none_are_named_for_keypoints_alone(truth, read, names):
    content = with_names(truth, names)
    with pytest.raises(CocoJsonError, match=r"category 1 has the keypoints .*; expected a list of names"):
        read(content, "keypoints")
    assert read(content, "bbox")["annotations"]


def test_seventeen_keypoints_of_other_names_are_warned_of(truth, tmp_path, caplog):
    path = tmp_path / "truth.json"
    points = {"keypoints": [1, 1, 2] * 17, "num_keypoints": 17}
    for names, warned in ((COCO_NAMES, False), ([f"point {i}" for i in range(17)], True)):
        content = with_names(truth, list(names))
        path.write_text(json.dumps(content | {"annotations": [row | points for row in content["annotations"]]}))
        read_annotations(path, "keypoints")
        assert ("are not COCO's" in caplog.text) == warned


def test_what_is_computed_is_said_and_used(truth, tmp_path, caplog):
    path = tmp_path / "truth.json"
    rows = [{key: value for key, value in row.items() if key != "segmentation"} for row in truth["annotations"]]
    path.write_text(json.dumps({**truth, "annotations": [{**row, "area": 0, "iscrowd": 0} for row in rows]}))
    found = read_annotations(path, "bbox")["annotations"]
    assert [row["area"] for row in found] == [row["bbox"][2] * row["bbox"][3] for row in rows]
    assert f"{len(rows)} of {len(rows)} annotations have no area or 0" in caplog.text


def test_fields_that_no_task_needs_cost_nothing(truth, read):
    strange = {"segmentation": "x", "keypoints": True, "num_keypoints": {}, "score": "x"}
    content = {**truth, "annotations": [{**row, **strange} for row in truth["annotations"]]}
    images = [{**image, "license": "x", "file_name": None} for image in truth["images"]]
    found = read({**content, "images": images})
    assert len(found["annotations"]) == len(truth["annotations"])
    engine_of(found, ["bbox"])


def test_an_lvis_field_of_another_type_is_named(truth):
    content = {**truth, "images": [{**image, "neg_category_ids": "x"} for image in truth["images"]]}
    with pytest.raises(CocoJsonError, match="neg_category_ids"):
        engine_of(content, ["bbox"])
