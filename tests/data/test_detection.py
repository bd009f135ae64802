"""Tests of detection with bad images."""

import numpy as np
import pytest
from detectron2.config import get_cfg
from detectron2.data import DatasetMapper
from detectron2.data import transforms as T
from detectron2.structures import BoxMode
from PIL import Image

from igdet.config import add_igdet_config
from igdet.data.bad_records import MAX_REPLACEMENTS, BadRecordsError
from igdet.data.detection import CheckedMapper, build_train_mapper, check_image_files


def make_mapper(is_train):
    return CheckedMapper(DatasetMapper(is_train, augmentations=[T.ResizeShortestEdge(32)], image_format="BGR"))


@pytest.fixture
def record(tmp_path, save_image):
    """An image of 50 x 40 and what is in the annotations about it."""
    path = save_image(tmp_path / "good.jpg", 1)
    return {"file_name": str(path), "height": 40, "width": 50, "image_id": 1}


def broken(record, path, make):
    make(path)
    return {**record, "file_name": str(path)}


BAD = {
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "no image": (lambda path: path.write_bytes(b"text"), "no image"),
    "a program for Ghostscript": (lambda path: path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n"), "no image"),
    "missing": (lambda path: None, "No such file"),
    "16 bits": (lambda path: Image.fromarray(np.zeros((40, 50), np.uint16)).save(path, "PNG"), "more than 8 bits"),
    "other size": (
        lambda path: Image.new("RGB", (40, 50)).save(path, "PNG"),
        "has 40 x 50 pixels, is annotated with 50 x 40: width",
    ),
}


@pytest.mark.parametrize(("make", "why"), BAD.values(), ids=BAD.keys())
def test_a_bad_image_is_skipped_in_training_and_reported_with_the_next(record, tmp_path, make, why):
    bad = broken(record, tmp_path / "bad.png", make)
    mapper = make_mapper(is_train=True)
    assert mapper(bad) is None
    [(name, reason)] = mapper(record)["bad_records"]
    assert name.endswith("bad.png")
    assert why in reason
    assert mapper(record)["bad_records"] == []


def test_a_path_with_a_nul_byte_is_a_bad_image(record):
    mapper = make_mapper(is_train=True)
    assert mapper({**record, "file_name": "a\0b.jpg"}) is None
    assert mapper(record)["bad_records"] == [("a\0b.jpg", "embedded null byte")]


def test_a_image_cut_short_is_skipped(record, tmp_path):
    data = (tmp_path / "good.jpg").read_bytes()
    bad = broken(record, tmp_path / "bad.jpg", lambda path: path.write_bytes(data[: len(data) // 2]))
    assert make_mapper(is_train=True)(bad) is None


def test_a_bad_image_is_grey_in_evaluation(record, tmp_path):
    bad = broken(record, tmp_path / "bad.png", lambda path: path.write_bytes(b""))
    sample = make_mapper(is_train=False)({**bad, "annotations": []})
    assert sample["image"].unique().tolist() == [128]
    assert (sample["height"], sample["width"], sample["image_id"]) == (40, 50, 1)
    assert len(sample["bad_records"]) == 1
    assert "annotations" not in sample


def test_a_good_image_is_what_detectron2_makes_of_it(record):
    expected = DatasetMapper(False, augmentations=[T.ResizeShortestEdge(32)], image_format="BGR")(record)
    sample = make_mapper(is_train=False)(record)
    np.testing.assert_array_equal(sample["image"], expected["image"])


def test_nothing_but_bad_images_stops(record, tmp_path):
    mapper = make_mapper(is_train=True)
    for _ in range(MAX_REPLACEMENTS - 1):
        assert mapper({**record, "file_name": str(tmp_path / "no.jpg")}) is None
    with pytest.raises(BadRecordsError, match="10 records in a row are bad"):
        mapper({**record, "file_name": str(tmp_path / "no.jpg")})


@pytest.mark.parametrize("count", [1, 3])
def test_where_every_image_is_bad_the_first_one_says_why(record, tmp_path, count):
    Image.new("RGB", (40, 50)).save(tmp_path / "bad.png")
    mapper = CheckedMapper(DatasetMapper(True, augmentations=[], image_format="BGR"), count)
    turned = {**record, "file_name": str(tmp_path / "bad.png")}
    for _ in range(count - 1):
        assert mapper(turned) is None
    with pytest.raises(BadRecordsError, match=r"bad\.png: has 40 x 50 pixels, is annotated with 50 x 40: width and"):
        mapper(turned)


@pytest.mark.parametrize("is_train", [True, False])
def test_a_image_too_thin_to_be_resized_is_bad(record, tmp_path, is_train):
    """Resized to at most 64 pixels, 1 x 200 has a side of 64 / 200 = 0.32 pixels, which rounds to none."""
    Image.new("RGB", (1, 200)).save(tmp_path / "thin.png")
    resize = T.ResizeShortestEdge(32, max_size=64)
    mapper = CheckedMapper(DatasetMapper(is_train, augmentations=[resize], image_format="BGR"))
    thin = {**record, "file_name": str(tmp_path / "thin.png"), "width": 1, "height": 200, "annotations": []}
    shown = mapper(thin)
    sample = mapper(record) if is_train else shown
    assert (shown is None) == is_train
    [(name, why)] = sample["bad_records"]
    assert name.endswith("thin.png") and why.startswith("1 x 200 pixels cannot be resized as INPUT asks: ")


@pytest.mark.parametrize("written", ["sub\\a b.jpg", "sub/a%20b.jpg", "sub%5Ca%20b.jpg"])
def test_file_names_of_windows_and_of_addresses_get_a_hint(record, tmp_path, save_image, written):
    there = save_image(tmp_path / "sub/a b.jpg", 2)
    with pytest.raises(BadRecordsError) as error:
        check_image_files("toys", [{**record, "file_name": f"{tmp_path}/{written}"}], max_share=0.5)
    assert f"{there} is there: write the file names in the annotations so" in str(error.value)


def test_missing_files_stop_before_any_work(record, tmp_path):
    missing = {**record, "file_name": str(tmp_path / "no.jpg")}
    check_image_files("toys", [record] * 5 + [missing] * 10, max_share=0.0)
    with pytest.raises(BadRecordsError, match=r"toys: 11 of 16 image files are missing, the first .*no\.jpg"):
        check_image_files("toys", [record] * 5 + [missing] * 11, max_share=0.5)
    with pytest.raises(BadRecordsError, match="2 of 2"):
        check_image_files("toys", [missing] * 2, max_share=0.5)


def jitter_config(scale, *opts):
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.merge_from_list(["MODEL.MASK_ON", True, "INPUT.MASK_FORMAT", "bitmask", "INPUT.RANDOM_FLIP", "none", *opts])
    cfg.merge_from_list(["INPUT.LARGE_SCALE_JITTER.SIDE", 100, "INPUT.LARGE_SCALE_JITTER.SCALE", (scale, scale)])
    return cfg


@pytest.fixture
def annotated(record):
    """A square of 10 x 10 at (20, 10), and one of 10 x 10 at (40, 30), the lower right corner of 50 x 40."""
    squares = [(20, 10), (40, 30)]
    polygons = [[x, y, x + 10, y, x + 10, y + 10, x, y + 10] for x, y in squares]
    boxes = [{"bbox": [x, y, 10, 10], "bbox_mode": BoxMode.XYWH_ABS} for x, y in squares]
    annotations = [
        {**box, "category_id": 0, "segmentation": [polygon]} for box, polygon in zip(boxes, polygons, strict=True)
    ]
    return {**record, "annotations": annotations}


def test_a_jittered_image_is_scaled_and_padded(annotated):
    # 0.5 * 100 pixels for the longer side, 50 pixels long: as it is, padded below and on the right.
    sample = build_train_mapper(jitter_config(0.5))(annotated)
    assert sample["image"].shape == (3, 100, 100)
    assert sample["instances"].gt_boxes.tensor.tolist() == [[20, 10, 30, 20], [40, 30, 50, 40]]
    assert sample["instances"].gt_masks.tensor.sum((1, 2)).tolist() == [100, 100]
    assert (sample["image"][:, 40:] == 128).all()  # the padding is grey


def test_a_jittered_image_is_cropped_with_its_objects(annotated, monkeypatch):
    monkeypatch.setattr(
        np.random, "uniform", lambda low, high: high if low else 0.0
    )  # the scale, and the crop's corner
    # 2 * 100 pixels for the longer side: four times as large, 200 x 160, of which the upper left 100 x 100 is taken.
    sample = build_train_mapper(jitter_config(2.0))(annotated)
    assert sample["image"].shape == (3, 100, 100)
    [box] = sample["instances"].gt_boxes.tensor.tolist()  # the other one is outside
    assert box == [80, 40, 100, 80]
    assert sample["instances"].gt_masks.tensor.sum().item() == 20 * 40


def test_without_jitter_the_mapper_is_detectron2s(annotated):
    cfg = jitter_config(1.0, "INPUT.MIN_SIZE_TRAIN", (80,))
    cfg.INPUT.LARGE_SCALE_JITTER.SIDE = 0
    assert build_train_mapper(cfg)(annotated)["image"].shape == (3, 80, 100)
