"""Images paired with label maps, and objects in the place of label maps."""

import json

import numpy as np
import pytest

from igdet.data.bad_records import BadRecordLog, BadRecordsError
from igdet.data.readers.semantic import prepare_coco_semantic, prepare_semantic_folder
from igdet.formats.errors import DatasetError
from igdet.formats.label_maps import encode_class_ids


@pytest.fixture
def folders(tmp_path, save_image):
    """Three images, one of them in a folder, with a label map each."""
    for i, stem in enumerate(["a", "b.1", "more/a"]):
        save_image(tmp_path / f"images/{stem}.jpg", i)
        path = tmp_path / f"masks/{stem}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_class_ids(np.zeros((40, 50), np.uint8)))
    (tmp_path / "classes.txt").write_text("ground\ntoy\n")
    return tmp_path


def prepare(folders, max_share=0.0, **changes):
    log = BadRecordLog(folders / "run", "toys", max_share)
    paths = {"ROOT": folders / "images", "MASKS": folders / "masks", "CLASSES": folders / "classes.txt"}
    fields = {**{key: str(path) for key, path in paths.items()}, "IGNORE_VALUE": 255, **changes}
    metadata, load = prepare_semantic_folder(fields, log)
    return metadata, load(), log


def test_names_pair_images_with_label_maps(folders):
    metadata, records, _ = prepare(folders)
    assert metadata == {
        "stuff_classes": ["ground", "toy"],
        "ignore_label": 255,
        "image_root": str(folders / "images"),
    }
    pairs = [(record["file_name"], record["sem_seg_file_name"]) for record in records]
    assert pairs == [
        (str(folders / f"images/{stem}.jpg"), str(folders / f"masks/{stem}.png")) for stem in ("a", "b.1", "more/a")
    ]


def test_an_image_without_label_map_is_bad_and_a_label_map_alone_is_noted(folders):
    (folders / "masks/a.png").rename(folders / "masks/c.png")
    _, records, log = prepare(folders)
    assert len(records) == 2
    [bad] = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert (bad["name"], bad["why"]) == (str(folders / "images/a.jpg"), "has no label map in MASKS")
    assert log.notes == ["1 label maps in MASKS have no image in ROOT: c"]


def test_too_many_images_without_label_map_stop(folders, save_image):
    for i in range(11):
        save_image(folders / f"images/{i}.jpg", i)
    with pytest.raises(BadRecordsError, match="11 of 14 records are bad"):
        prepare(folders, max_share=0.5)


def test_what_cannot_be_paired_is_refused(folders, save_image):
    (folders / "masks/more/a.png").rename(folders / "masks/more/c.png")
    with pytest.raises(DatasetError, match=r"none of the 3 images .* has a label map of its name among the 1 files"):
        prepare(folders, MASKS=str(folders / "masks/more"))
    save_image(folders / "images/a.png", 1)
    with pytest.raises(DatasetError, match=r"a\.png and a\.jpg have the same name: remove one"):
        prepare(folders)


def test_an_empty_folder_is_named(folders):
    (folders / "empty").mkdir()
    (folders / "empty/notes.txt").write_text("none")
    with pytest.raises(DatasetError, match=r"empty holds no images that can be read; passed over: 1 \.txt"):
        prepare(folders, MASKS=str(folders / "empty"))


def test_a_value_that_no_byte_holds_is_refused(folders):
    with pytest.raises(DatasetError, match="names 2 classes, and IGNORE_VALUE is 256"):
        prepare(folders, IGNORE_VALUE=256)


def test_objects_follow_the_background(write_coco, coco_content, tmp_path):
    metadata, load = prepare_coco_semantic(write_coco(coco_content), BadRecordLog(tmp_path / "run", "toys", 0.0))
    assert (metadata["stuff_classes"], metadata["ignore_label"]) == (["background", "doll", "person"], 255)
    first, second = load()
    assert [thing["category_id"] for thing in first["objects"]] == [2, 1]
    assert "annotations" not in first and (second["height"], second["width"]) == (40, 50)


def test_an_object_without_mask_is_bad_and_a_category_background_refused(write_coco, coco_content, tmp_path):
    log = BadRecordLog(tmp_path / "run", "toys", 0.0)
    del coco_content["annotations"][0]["segmentation"]
    _, load = prepare_coco_semantic(write_coco(coco_content), log)
    assert log.bad == 1
    assert [len(record["objects"]) for record in load()] == [1, 1]
    coco_content["categories"][0]["name"] = "background"
    with pytest.raises(DatasetError, match="none of the name background, which is that of class 0"):
        prepare_coco_semantic(write_coco(coco_content), BadRecordLog(tmp_path / "run", "others", 0.0))
