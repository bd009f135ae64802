"""Tests of LVIS json, read without the package `lvis`: on a file of two images in COCO's folders."""

import json
from itertools import islice
from pathlib import Path

import pytest
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.structures import BoxMode

from igdet.data import register_own_datasets
from igdet.data.bad_records import BadRecordLog
from igdet.data.build import build_detection_train_loader
from igdet.data.checking import Options, check, sets_of
from igdet.data.readers.coco import prepare_lvis
from igdet.formats.errors import DatasetError
from igdet.formats.targets import SPLITS

TRIANGLE = [[5, 6, 25, 6, 25, 16]]


@pytest.fixture
def content() -> dict:
    """A sofa in an image of train2017, a sofa and a rare puffin in one of val2017; neither table is sorted."""
    return {
        "images": [
            {
                "id": number,
                "coco_url": f"http://images.cocodataset.org/{part}/{number:012d}.jpg",
                "width": 50,
                "height": 40,
                "neg_category_ids": absent,
                "not_exhaustive_category_ids": [],
            }
            for number, part, absent in ((8, "val2017", []), (3, "train2017", [2]))
        ],
        "categories": [
            {"id": 5, "name": "sofa", "frequency": "f", "image_count": 2},
            {"id": 2, "name": "puffin", "frequency": "r", "image_count": 1},
        ],
        "annotations": [
            {
                "id": number,
                "image_id": image,
                "category_id": category,
                "bbox": [5, 6, 20, 10],
                "area": 100,
                "segmentation": TRIANGLE,
            }
            for number, image, category in ((1, 3, 5), (2, 8, 5), (3, 8, 2))
        ],
    }


@pytest.fixture
def write(tmp_path, save_image, monkeypatch):
    """Write a content as LVIS v1's training set, with its images, where all data sets are expected."""
    root = tmp_path / "datasets"
    monkeypatch.setenv("DETECTRON2_DATASETS", str(root))

    def write_lvis(content) -> dict[str, str]:
        for image in content["images"]:
            save_image(root / "coco" / "/".join(image["coco_url"].split("/")[-2:]), image["id"])
        path = root / "lvis/lvis_v1_train.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
        return {"ROOT": str(root / "coco"), "ANNOTATIONS": str(path)}

    return write_lvis


@pytest.fixture
def restore_builtin():
    """Put Detectron2's own data sets of LVIS back after the test."""
    load, metadata = DatasetCatalog["lvis_v1_train"], MetadataCatalog.get("lvis_v1_train")
    yield
    DatasetCatalog.pop("lvis_v1_train")
    MetadataCatalog.pop("lvis_v1_train")
    DatasetCatalog.register("lvis_v1_train", load)
    MetadataCatalog["lvis_v1_train"] = metadata


def prepare(fields, folder, *tasks):
    return prepare_lvis(fields, BadRecordLog(folder, "toys", 1.0), tasks or ("bbox", "segm"))


def test_images_lie_where_their_urls_say(content, write, tmp_path):
    fields = write(content)
    metadata, load = prepare(fields, tmp_path)
    assert metadata["thing_classes"] == ["puffin", "sofa"]  # by category id
    assert metadata["class_image_count"] == [{"id": 2, "image_count": 1}, {"id": 5, "image_count": 2}]
    records = load()
    assert [record["file_name"] for record in records] == [
        f"{fields['ROOT']}/train2017/000000000003.jpg",
        f"{fields['ROOT']}/val2017/000000000008.jpg",
    ]
    assert [[item["category_id"] for item in record["annotations"]] for record in records] == [[1], [1, 0]]
    assert records[0]["annotations"] == [
        {"bbox": [5, 6, 20, 10], "bbox_mode": BoxMode.XYWH_ABS, "category_id": 1, "segmentation": TRIANGLE}
    ]
    assert (records[0]["image_id"], records[0]["neg_category_ids"]) == (3, [2])


def test_bad_annotations_are_left_out_and_polygons_of_two_points_too(content, write, tmp_path):
    content["annotations"][0]["category_id"] = 9
    content["annotations"][1]["segmentation"] = [[1, 2, 3, 4], *TRIANGLE]
    metadata, load = prepare(write(content), tmp_path)
    assert [len(record["annotations"]) for record in load()] == [0, 2]
    assert load()[1]["annotations"][0]["segmentation"] == TRIANGLE
    assert Path(metadata["json_file"]).parent.name == "checked_annotations"


def test_objects_of_boxes_may_have_null_for_a_mask(content, write, tmp_path):
    content["annotations"][0]["segmentation"] = None
    _, load = prepare(write(content), tmp_path, "bbox")
    assert load()[0]["annotations"][0]["segmentation"] == []


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda c: c["images"][0].pop("neg_category_ids"), "entry 0 of 'images' lacks neg_category_ids"),
        (lambda c: c["images"][0].pop("coco_url"), "entry 0 of 'images' lacks coco_url"),
        (lambda c: c["images"][0].update(coco_url="http://host/../x.jpg"), "image 8 leads out of ROOT"),
        (lambda c: c["categories"][1].pop("frequency"), "entry 1 of 'categories' lacks frequency"),
        (lambda c: c["annotations"][2].pop("segmentation"), "entry 2 of 'annotations' lacks segmentation"),
    ],
)
def test_a_file_that_is_not_lvis_is_refused(content, write, tmp_path, break_it, message):
    fields = write(content)
    break_it(content)
    Path(fields["ANNOTATIONS"]).write_text(json.dumps(content))
    with pytest.raises(DatasetError, match=message):
        prepare(fields, tmp_path)


def test_the_target_is_read_without_detectron2s_reader(content, write, cfg, restore_builtin):
    write(content)
    cfg.DATASETS.TRAIN, cfg.DATASETS.TEST = ("lvis_v1_train",), ()
    cfg.MODEL.MASK_ON = True
    cfg.DATALOADER.SAMPLER_TRAIN, cfg.DATALOADER.REPEAT_THRESHOLD = "RepeatFactorTrainingSampler", 1.0
    register_own_datasets(cfg)
    assert MetadataCatalog.get("lvis_v1_train").evaluator_type == "lvis"
    samples = [sample for batch in islice(build_detection_train_loader(cfg, 0), 3) for sample in batch]
    assert {sample["image_id"] for sample in samples} == {3, 8}
    assert all(sample["instances"].has("gt_masks") for sample in samples)


def test_the_target_without_its_file(cfg, tmp_path, monkeypatch):
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    (tmp_path / "coco").mkdir()
    cfg.DATASETS.TRAIN, cfg.DATASETS.TEST = ("lvis_v1_train",), ()
    with pytest.raises(
        DatasetError, match=r"lvis_v1_train: ANNOTATIONS: .*lvis_v1_train\.json does not exist.* lvis_v1`"
    ):
        register_own_datasets(cfg)


def test_the_target_is_checked_on_disk(content, write, tmp_path):
    fields = write(content)
    Path(fields["ROOT"], "val2017/000000000008.jpg").unlink()
    [checked] = check(sets_of("lvis_v1_train", str(tmp_path / "datasets")), Options())
    found = [finding.what for finding in checked.findings]
    assert found[:2] == [
        f"2 images are listed, expected {SPLITS['lvis_v1_train'].images:,}",
        "2 classes, expected 1,203",
    ]
    assert "1 of 2 images are missing or broken" in found[2]
    assert "val2017/000000000008.jpg: No such file" in found[2]
