"""Label maps of every source, and the mapper that augments them with their image."""

import numpy as np
import panoptic_toys as toys
import pytest
import torch
from detectron2.data import transforms as T
from PIL import Image
from pycocotools import mask as coco_mask

from igdet.data.segmentation import CheckedSegmentationMapper, SegmentationMapper, label_map
from igdet.formats.errors import RecordError
from igdet.formats.label_maps import encode_class_ids, encode_segment_ids


def rectangle(category, left, top, right, bottom, **more):
    corners = [left, top, right, top, right, bottom, left, bottom]
    return {"category_id": category, "segmentation": [corners], **more}


def of_objects(*objects):
    return label_map({"objects": objects, "height": 2, "width": 6}, num_classes=3, ignore_value=255)


def test_objects_lie_on_the_background_and_the_overlap_of_two_classes_is_ignored():
    first, second = rectangle(1, 0, 0, 3, 1), rectangle(2, 2, 0, 5, 1)
    expected = [[1, 1, 255, 2, 2, 0], [0] * 6]
    assert of_objects(first, second).tolist() == of_objects(second, first).tolist() == expected
    same = rectangle(1, 2, 0, 5, 1)
    assert of_objects(first, same).tolist()[0] == [1, 1, 1, 1, 1, 0]
    assert of_objects().tolist() == [[0] * 6] * 2


def test_a_third_class_does_not_decide_an_overlap():
    overlapping = [rectangle(1, 0, 0, 3, 1), rectangle(2, 0, 0, 3, 1), rectangle(1, 0, 0, 3, 1)]
    assert of_objects(*overlapping).tolist()[0] == [255, 255, 255, 0, 0, 0]


def test_a_crowd_is_ignored_where_no_object_lies():
    crowd = np.zeros((2, 6), np.uint8)
    crowd[0, 2:] = 1
    runs = {"category_id": 2, "iscrowd": 1, "segmentation": coco_mask.encode(np.asfortranarray(crowd))}
    for objects in ([runs, rectangle(1, 0, 0, 3, 1)], [rectangle(1, 0, 0, 3, 1), runs]):
        assert of_objects(*objects).tolist() == [[1, 1, 1, 255, 255, 255], [0] * 6]


def test_panoptic_segments_are_stuff_or_things(tmp_path):
    toys.write(tmp_path, toys.content(), toys.instances())
    infos = [{"id": number, "category_id": 0, "isthing": True} for number in (1, 2)]
    record = {
        "pan_seg_file_name": str(tmp_path / "panoptic/1.png"),
        "segments_info": [*infos, {"id": 3, "category_id": 2, "isthing": False}],
    }
    expected = np.array([255, 0, 0, 2])[toys.SEGMENTS]
    np.testing.assert_array_equal(label_map(record, num_classes=3, ignore_value=255), expected)
    (tmp_path / "panoptic/1.png").write_bytes(encode_segment_ids(toys.SEGMENTS + 1))
    with pytest.raises(RecordError, match="has the segment 4, which the json does not list"):
        label_map(record, num_classes=3, ignore_value=255)


@pytest.fixture
def record(tmp_path, save_image):
    """An image of 50 x 40 whose left half is class 1."""
    labels = np.zeros((40, 50), np.uint8)
    labels[:, :25] = 1
    (tmp_path / "good.png").write_bytes(encode_class_ids(labels))
    image = save_image(tmp_path / "good.jpg", 1)
    return {"file_name": str(image), "sem_seg_file_name": str(tmp_path / "good.png")}


def mapper(is_train, *augmentations):
    inner = SegmentationMapper(
        is_train, augmentations=[*augmentations], image_format="RGB", num_classes=2, ignore_value=255
    )
    return CheckedSegmentationMapper(inner)


def test_in_training_the_label_map_follows_the_image(record):
    sample = mapper(True, T.ResizeShortestEdge(20), T.RandomFlip(prob=1.0))(record)
    assert sample["image"].shape == (3, 20, 25)
    assert sample["sem_seg"].dtype == torch.int64 and sample["sem_seg"].shape == (20, 25)
    assert sample["sem_seg"][:, 13:].eq(1).all() and sample["sem_seg"][:, :12].eq(0).all()
    assert "gt_sem_seg" not in sample and "sem_seg_file_name" not in sample


def test_in_evaluation_the_label_map_stays_as_it_is(record):
    sample = mapper(False, T.ResizeShortestEdge(20))(record)
    assert sample["image"].shape == (3, 20, 25)
    assert (sample["height"], sample["width"]) == (40, 50)
    assert sample["gt_sem_seg"].shape == (40, 50) and sample["gt_sem_seg"].sum() == 40 * 25
    assert "sem_seg" not in sample


BAD = {
    "missing": (lambda path: path.unlink(), "is not there"),
    "unknown class": (
        lambda path: path.write_bytes(encode_class_ids(np.full((40, 50), 2, np.uint8))),
        "has the id 2 in 100.0% of its pixels",
    ),
    "other size": (
        lambda path: path.write_bytes(encode_class_ids(np.zeros((50, 40), np.uint8))),
        "its label map has 40 x 50 pixels, the image 50 x 40",
    ),
}


@pytest.mark.parametrize(("make", "why"), BAD.values(), ids=BAD.keys())
def test_a_bad_label_map_is_replaced_in_training_and_left_out_in_evaluation(record, tmp_path, make, why):
    good = {**record, "sem_seg_file_name": str(tmp_path / "kept.png")}
    (tmp_path / "kept.png").write_bytes((tmp_path / "good.png").read_bytes())
    make(tmp_path / "good.png")
    train = mapper(True)
    assert train(record) is None
    [(name, reason)] = train(good)["bad_records"]
    assert name.endswith("good.jpg") and why in reason
    shown = mapper(False)(record)
    assert len(shown["bad_records"]) == 1
    assert ("gt_sem_seg" in shown) == (why.startswith("its label map has 40"))


def test_a_bad_image_is_grey_and_its_pixels_count(record, tmp_path):
    (tmp_path / "good.jpg").write_bytes(b"")
    sample = mapper(False)(record)
    assert sample["image"].unique().tolist() == [128]
    assert (sample["height"], sample["width"]) == (40, 50)
    assert sample["gt_sem_seg"].sum() == 40 * 25


def test_instances_are_transformed_as_well(record):
    """As a Panoptic FPN needs them."""
    box = {"bbox": [0.0, 0.0, 25.0, 40.0], "bbox_mode": 1, "category_id": 0}
    sample = mapper(True, T.ResizeShortestEdge(20))({**record, "annotations": [box]})
    assert sample["instances"].gt_boxes.tensor.tolist() == [[0.0, 0.0, 12.5, 20.0]]
    assert "annotations" not in sample


def test_an_image_turned_by_exif_is_compared_upright(record, tmp_path):
    image = Image.open(tmp_path / "good.jpg")
    exif = image.getexif()
    exif[274] = 6  # a quarter turn
    image.save(tmp_path / "good.jpg", exif=exif)
    assert mapper(True)(record) is None
