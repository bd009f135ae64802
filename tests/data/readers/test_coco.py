"""Tests of checking and opening COCO json."""

import json
from pathlib import Path

import pytest
from detectron2.data.datasets import load_coco_json

from igdet.data.bad_records import BadRecordLog, BadRecordsError
from igdet.data.readers.coco import load_records, prepare_coco
from igdet.formats.errors import DatasetError


@pytest.fixture
def prepare(write_coco, tmp_path):
    """Write a content and prepare it under a name that no other test's metadata has."""

    def run(content, max_share=0.0):
        log = BadRecordLog(tmp_path / "run", f"toys_{tmp_path.name}", max_share)
        return prepare_coco(write_coco(content), log)

    return run


def test_metadata(prepare, coco_content):
    metadata, _ = prepare(coco_content)
    assert metadata["thing_classes"] == ["doll", "person"]  # by category id
    assert metadata["thing_dataset_id_to_contiguous_id"] == {3: 0, 7: 1}
    assert metadata["keypoint_names"] == ["nose", "left_hand", "right_hand"]
    assert metadata["keypoint_flip_map"] == [("left_hand", "right_hand")]
    assert [rule[:2] for rule in metadata["keypoint_connection_rules"]] == [
        ("nose", "left_hand"),
        ("nose", "right_hand"),
    ]


def test_a_good_file_is_used_as_it_is(prepare, coco_content, tmp_path):
    metadata, load = prepare(coco_content)
    assert metadata["json_file"] == str(tmp_path / "annotations.json")
    records = load()
    assert [len(record["annotations"]) for record in records] == [2, 1]
    assert records[0]["annotations"][1]["category_id"] == 0
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("why", "change"),
    [("its image is not in the file", {"image_id": 9}), ("four finite numbers", {"bbox": None})],
)
def test_a_bad_annotation_is_named_and_left_out_for_training_and_evaluation(prepare, coco_content, why, change):
    coco_content["annotations"][1].update(change)
    metadata, load = prepare(coco_content)
    copy = Path(metadata["json_file"])
    assert [annotation["id"] for annotation in json.loads(copy.read_text())["annotations"]] == [1, 3]
    assert sum(len(record["annotations"]) for record in load()) == 2
    logged = json.loads((copy.parent.parent / "bad_records.jsonl").read_text())
    assert logged["name"] == f"annotation 2 of image {change.get('image_id', 1)}"
    assert why in logged["why"]


def test_crowds_need_no_keypoints(prepare, coco_content):
    coco_content["annotations"][1].update(iscrowd=1, segmentation={"size": [40, 50], "counts": [2000]})
    del coco_content["annotations"][1]["keypoints"]
    assert sum(len(record["annotations"]) for record in prepare(coco_content)[1]()) == 3


def test_too_many_bad_annotations_stop(prepare, coco_content):
    good = coco_content["annotations"][0]
    coco_content["annotations"] += [{**good, "id": 10 + i, "bbox": [0, 0, 0, 0]} for i in range(11)]
    with pytest.raises(BadRecordsError, match="11 of 14 records are bad"):
        prepare(coco_content, max_share=0.5)
    assert prepare(coco_content, max_share=0.8)


def test_nothing_left_stops(prepare, coco_content):
    coco_content["annotations"] = []
    with pytest.raises(DatasetError, match="has no usable annotation"):
        prepare(coco_content)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda c: c.pop("categories"), "expected a list under the key 'categories'"),
        (lambda c: c["images"][1].pop("width"), "entry 1 of 'images' lacks width"),
        (lambda c: c["images"][0].update(id="1"), "entry 0 of 'images' has the id '1'; expected a whole number"),
        (lambda c: c["annotations"][1].update(image_id=[1]), r"entry 1 of 'annotations' has the image_id \[1\]"),
        (lambda c: c["categories"][0].update(name="doll"), "the name 'doll' is in more than one of 'categories'"),
        (lambda c: c["images"][0].update(file_name=3), "image 1 has the file name 3; expected text"),
        (lambda c: c["images"].append(5), "entry 2 of 'images' lacks id, file_name"),
        (lambda c: c["images"][0].update(height=0), "image 1 must have a width and height above 0"),
        (lambda c: c["annotations"][2].pop("bbox"), "entry 2 of 'annotations' lacks bbox"),
        (
            lambda c: c["annotations"][1].update(id=1),
            r"1 ids in 'annotations' are listed more than once, among them \[1\]",
        ),
        (lambda c: c["categories"][0].update(keypoints=3), "category 7 has the keypoints 3; expected a list of names"),
    ],
)
def test_a_file_of_the_wrong_structure_is_refused(write_coco, coco_content, tmp_path, break_it, message):
    fields = write_coco(coco_content)
    break_it(coco_content)
    Path(fields["ANNOTATIONS"]).write_text(json.dumps(coco_content))
    with pytest.raises(DatasetError, match=message):
        prepare_coco(fields, BadRecordLog(tmp_path, "toys", 1.0))


@pytest.mark.parametrize("file_name", ["../secret.jpg", "/etc/passwd"])
def test_images_outside_the_root_are_refused(write_coco, coco_content, tmp_path, file_name):
    fields = write_coco(coco_content)
    coco_content["images"][0]["file_name"] = file_name
    Path(fields["ANNOTATIONS"]).write_text(json.dumps(coco_content))
    with pytest.raises(DatasetError, match="image 1 leads out of ROOT"):
        prepare_coco(fields, BadRecordLog(tmp_path, "toys", 1.0))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_another_encoding_is_read_through_a_copy(write_coco, coco_content, tmp_path, encoding):
    fields = write_coco(coco_content)
    Path(fields["ANNOTATIONS"]).write_text(json.dumps(coco_content), encoding)
    metadata, load = prepare_coco(fields, BadRecordLog(tmp_path / "run", f"toys_{tmp_path.name}", 0.0))
    assert json.loads(Path(metadata["json_file"]).read_text()) == coco_content | {
        "categories": sorted(coco_content["categories"], key=lambda row: row["id"])
    }
    assert len(load()) == 2


def test_an_absolute_path_inside_the_root_is_read(write_coco, coco_content, tmp_path):
    fields = write_coco(coco_content)
    path = f"{fields['ROOT']}/{coco_content['images'][0]['file_name']}"
    coco_content["images"][0]["file_name"] = path
    Path(fields["ANNOTATIONS"]).write_text(json.dumps(coco_content))
    _, load = prepare_coco(fields, BadRecordLog(tmp_path / "run", f"toys_{tmp_path.name}", 0.0))
    assert path in [record["file_name"] for record in load()]


def test_corner_boxes_stop_at_the_start(prepare, coco_content):
    for annotation in coco_content["annotations"]:
        annotation["bbox"] = [30, 25, 48, 38]  # of images of 50 x 40
    with pytest.raises(DatasetError, match=r"its boxes are likely corners .* 3 of 3 reach far beyond their images"):
        prepare(coco_content)


@pytest.mark.parametrize("pairs", [[["nose", "tail"]], ["nose"], [["nose", "nose"]], [["left_hand"]]])
def test_keypoint_pairs_of_other_keypoints_are_named(write_coco, coco_content, tmp_path, pairs):
    fields = write_coco(coco_content) | {"KEYPOINT_PAIRS": pairs}
    with pytest.raises(DatasetError, match=r"KEYPOINT_PAIRS .* of different keypoints of .*: nose, left_hand, right_"):
        prepare_coco(fields, BadRecordLog(tmp_path / "run", "toys", 0.0))


def test_boxes_need_no_keypoints(write_coco, coco_content, tmp_path):
    coco_content["categories"][0]["keypoints"] = 3
    for annotation in coco_content["annotations"]:
        annotation["keypoints"] = [True, "x"]
    log = BadRecordLog(tmp_path / "run", f"toys_{tmp_path.name}", 0.0)
    _, load = prepare_coco(write_coco(coco_content), log, ("bbox",))
    assert [len(record["annotations"]) for record in load()] == [2, 1]
    assert log.bad == 0


@pytest.mark.parametrize("content", ['{"images": [', "[]", ""])
def test_broken_json_is_named(tmp_path, content):
    (tmp_path / "broken.json").write_text(content)
    fields = {"ROOT": str(tmp_path), "ANNOTATIONS": str(tmp_path / "broken.json")}
    with pytest.raises(DatasetError, match=r"broken\.json is no "):
        prepare_coco(fields, BadRecordLog(tmp_path, "toys", 1.0))


@pytest.mark.parametrize(
    "segmentation",
    [
        None,
        [],
        [[1, 2, 3, 4], [5, 6, 25, 6, 25, 16]],
        [[1, 2, 3, 4]],  # no polygon: the object is left out
        {"size": [40, 50], "counts": [100, 20, 1880]},
        {"size": [40, 50], "counts": "T3d0dj1"},
    ],
)
def test_records_are_those_that_detectron2_loads(write_coco, coco_content, tmp_path, segmentation):
    coco_content["annotations"][0] |= {"segmentation": segmentation, "extra": 1}
    del coco_content["annotations"][1]["keypoints"]
    coco_content["images"].reverse()
    path = write_coco(coco_content)["ANNOTATIONS"]
    theirs = load_coco_json(path, str(tmp_path), f"toys_{tmp_path.name}")
    assert load_records(path, str(tmp_path)) == theirs
