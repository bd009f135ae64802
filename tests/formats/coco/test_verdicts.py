"""What the judge computes, says and refuses, on annotations of an image of 100 x 80 pixels."""

import pytest
from pycocotools import mask as coco_mask

from igdet.formats.coco.reading import CocoJsonError
from igdet.formats.coco.verdicts import judge

SQUARE = [10, 10, 40, 10, 40, 30, 10, 30]  # 30 x 20 pixels
POSE = [12, 12, 2, 20, 20, 1, 0, 0, 0]
PERSON = {"id": 1, "name": "person", "keypoints": ["nose", "left_eye", "right_eye"]}
CAR = {"id": 3, "name": "car"}
SOUND = {
    "image_id": 1,
    "category_id": 1,
    "bbox": [10, 10, 30, 25],
    "area": 600,
    "iscrowd": 0,
    "segmentation": [SQUARE],
    "keypoints": POSE,
    "num_keypoints": 2,
}


def verdicts(*changes, tasks=("bbox", "segm", "keypoints"), categories=(PERSON,), drop=(), keypoints=0):
    """Judge annotations that each differ from a sound one in some fields."""
    rows = [{"id": number, **SOUND, **change} for number, change in enumerate(changes, 1)]
    annotations = [{key: value for key, value in row.items() if key not in drop} for row in rows]
    images = [{"id": 1, "width": 100, "height": 80}]
    content = {"images": images, "categories": list(categories), "annotations": annotations}
    return judge("toys.json", content, tasks, keypoints)


def test_sound_annotations_are_used_as_they_are():
    found = verdicts({}, {"bbox": [0, 0, 101, 80]})
    assert (found.refused, found.notes, found.changed) == ([], [], False)


RUNS = {"size": [80, 100], "counts": [10, 90, 7900]}
TEXT = {"size": [80, 100], "counts": coco_mask.frPyObjects(RUNS, 80, 100)["counts"].decode()}
AREAS = {
    "0": ({"area": 0}, 600, "that of the mask"),
    "null": ({"area": None}, 600, "that of the mask"),
    "of run lengths": ({"area": 0, "segmentation": RUNS}, 90, "that of the mask"),
    "of run lengths as text": ({"area": 0, "segmentation": TEXT}, 90, "that of the mask"),
    "of two polygons": ({"area": 0, "segmentation": [SQUARE, [50, 50, 60, 50, 60, 60]]}, 650, "that of the mask"),
}


@pytest.mark.parametrize(("change", "area", "said"), AREAS.values(), ids=AREAS)
def test_an_area_of_nothing_is_that_of_the_mask(change, area, said):
    found = verdicts({}, change)
    assert found.content["annotations"][1]["area"] == area
    [note] = found.notes
    assert note.startswith("1 of 2 annotations have no area or 0") and said in note
    assert note.endswith("the first is annotation 2")
    assert found.changed


@pytest.mark.parametrize(("box", "area"), [([10, 10, 30, 25], 750), ([-10, 70, 30, 25], 200)])
def test_without_a_mask_it_is_that_of_the_box_in_the_image(box, area):
    found = verdicts({"segmentation": [], "bbox": box}, tasks=("bbox", "keypoints"), drop=("area",))
    assert found.content["annotations"][0]["area"] == area
    assert "changes the scale that keypoints are compared at" in found.notes[0]


@pytest.mark.parametrize("stated", [0, 3, None, "2", True, -1, {"size": 1}])
def test_keypoints_are_counted_again(stated):
    found = verdicts({"num_keypoints": stated})
    assert found.content["annotations"][0]["num_keypoints"] == 2
    assert found.notes[0].startswith("1 of 1 annotations have a num_keypoints that is not")


@pytest.mark.parametrize("none", [{"keypoints": []}, {"keypoints": None}])
def test_a_class_without_keypoints_gets_none_that_is_labelled(none):
    found = verdicts({}, {"category_id": 3, **none}, categories=(PERSON, CAR))
    assert not found.refused
    assert found.content["annotations"][1]["keypoints"] == [0] * 9
    assert found.content["annotations"][1]["num_keypoints"] == 0
    again = judge("copy.json", found.content, ("bbox", "segm", "keypoints"))
    assert (again.refused, again.notes, again.changed) == ([], [], False)


def test_a_person_without_keypoints_is_refused():
    [(name, why)] = verdicts({}, {"keypoints": []}).refused
    assert name == "annotation 2 of image 1"
    assert why == "has 0 keypoint numbers; its category has 3 keypoints, so 9 were expected"


UNASKED = {
    "no polygon": {"segmentation": [[]]},
    "a point": {"segmentation": [[5, 6]]},
    "a word": {"segmentation": "mask"},
    "far away": {"segmentation": [[10, 10, 1e300, 10, 40, 30]]},
    "keypoints of another number": {"keypoints": [1, 2]},
    "true for keypoints": {"keypoints": True},
    "no finite keypoints": {"keypoints": [float("nan"), 1, 2]},
}


@pytest.mark.parametrize("change", UNASKED.values(), ids=UNASKED)
def test_a_fault_costs_an_annotation_only_where_the_field_is_asked_for(change):
    assert len(verdicts(change).refused) == 1
    found = verdicts(change, tasks=("bbox",))
    assert found.refused == []
    assert found.content["annotations"][0].keys() == {"id", *SOUND} - change.keys()
    assert found.notes[0].startswith("1 of 1 annotations have")


def test_polygons_of_two_points_are_left_out_beside_others():
    found = verdicts({"segmentation": [[1, 2, 3, 4], SQUARE]})
    assert found.content["annotations"][0]["segmentation"] == [SQUARE]


def test_what_is_strange_is_said_and_kept():
    beyond, large = verdicts({"bbox": [90, 70, 12, 5], "area": 40}, {"area": 1511}).notes
    assert beyond.startswith("1 of 2 annotations reach more than 1 pixel beyond their images")
    assert large.startswith("1 of 2 annotations have an area more than twice that of their box")


def test_a_root_without_annotations_is_no_class_beside_its_namesake():
    root, person = {"id": 0, "name": "person", "supercategory": "none"}, {**PERSON, "supercategory": "person"}
    found = verdicts({}, categories=(root, person))
    assert found.content["categories"] == [person]
    assert found.notes == [
        "category 0, 'person', is left out: a root without annotations that has the name of another class; 1 classes "
        "are left"
    ]
    assert verdicts({}, categories=({**root, "name": "people"}, PERSON)).content["categories"][0]["name"] == "people"


def test_a_number_as_a_name_becomes_text():
    found = verdicts({}, categories=({**PERSON, "name": 7},))
    assert found.content["categories"][0]["name"] == "7"
    assert found.notes == ["category 1 is named by a number: its name is '7'"]


def test_categories_of_different_keypoints_are_refused_where_keypoints_are_asked_for():
    cat = {"id": 2, "name": "cat", "keypoints": ["tail"]}
    with pytest.raises(CocoJsonError, match=r"toys\.json: its categories have different keypoints"):
        verdicts({}, categories=(PERSON, cat))
    assert verdicts({}, categories=(PERSON, cat), tasks=("bbox", "segm")).refused == []


def test_a_keypoint_that_is_named_twice_is_refused():
    with pytest.raises(CocoJsonError, match="category 1 has the keypoint 'eye' more than once"):
        verdicts({}, categories=({**PERSON, "keypoints": ["eye", "eye", "nose"]},))
