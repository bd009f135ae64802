"""COCO's panoptic json beside a json of instances: numbered as the heads do, or refused with what is wrong."""

from pathlib import Path

import panoptic_toys as toys
import pytest

from igdet.data.bad_records import BadRecordLog
from igdet.data.readers.coco_panoptic import prepare_coco_panoptic
from igdet.formats.errors import DatasetError


def prepare(folder, panoptic=None, things=None):
    fields = toys.write(folder, panoptic or toys.content(), things or toys.instances())
    return prepare_coco_panoptic(fields, BadRecordLog(folder / "run", f"toys_{folder.name}", 0.0))


def test_stuff_is_numbered_by_id_behind_all_things(tmp_path):
    metadata, load = prepare(tmp_path)
    assert metadata["thing_classes"] == ["doll"]
    assert metadata["stuff_classes"] == ["things", "sky", "grass"]
    assert metadata["stuff_dataset_id_to_contiguous_id"] == {7: 1, 9: 2}
    assert metadata["panoptic_json"] == str(tmp_path / "panoptic.json")
    [record] = load()
    assert record["pan_seg_file_name"] == str(tmp_path / "panoptic/1.png")
    assert record["segments_info"] == [
        {"id": 1, "category_id": 0, "isthing": True},
        {"id": 2, "category_id": 0, "isthing": True},
        {"id": 3, "category_id": 2, "isthing": False},
    ]
    assert len(record["annotations"]) == 2


def without_segments(content):
    del content["annotations"][0]["segments_info"]


def unknown_category(content):
    content["annotations"][0]["segments_info"][0]["category_id"] = 4


def repeated_segment(content):
    content["annotations"][0]["segments_info"][1]["id"] = 1


def no_annotation(content):
    content["images"].append({**content["images"][0], "id": 2})


def other_name(content):
    content["categories"] = [{**toys.CATEGORIES[0], "name": "bear"}, *toys.CATEGORIES[1:]]


def other_image(content):
    content["images"][0]["id"] = content["annotations"][0]["image_id"] = 3


def other_png(content):
    content["annotations"][0]["file_name"] = "2.png"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_segments, "entry 0 of 'annotations' is .*: expected segments_info"),
        (unknown_category, "image 1: the segment .* has an unknown category"),
        (repeated_segment, "image 1: the segment 1 is there more than once"),
        (no_annotation, "1 images, 2 among them, have no annotation"),
        (other_name, "differ in 1 things: category 5 is 'bear' in the first, 'doll' in the second"),
        (other_png, r"names 1 of 1 PNGs that are not in MASKS: .*2\.png"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, message):
    content = toys.content()
    change(content)
    with pytest.raises(DatasetError, match=message):
        prepare(tmp_path, content)


def test_both_files_must_be_of_the_same_images(tmp_path):
    content = toys.content()
    other_image(content)
    with pytest.raises(DatasetError, match="differ in 2 images, by id 1, 3"):
        prepare(tmp_path, content)[1]()


def test_a_file_of_instances_is_no_panoptic_json(tmp_path):
    with pytest.raises(DatasetError, match=r"entry 0 of 'categories' is .*: expected isthing"):
        prepare(tmp_path, toys.instances())
    assert Path(tmp_path, "panoptic.json").is_file()
