"""Tests of the loaders from a config."""

import json
import logging
import multiprocessing
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
import torch
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog
from detectron2.utils.logger import _LOG_COUNTER
from PIL import Image

from igdet.config import ConfigError
from igdet.config.check import check_config
from igdet.data import (
    build_classification_test_loader,
    build_classification_train_loader,
    build_detection_test_loader,
    build_detection_train_loader,
    check_detection_tests,
    draw_seed,
    register_own_datasets,
    training_images,
)
from igdet.data.bad_records import BadRecordsError
from igdet.data.detection import is_wide
from igdet.data.images.jpeg import DECODER
from igdet.formats.errors import DatasetError


@pytest.fixture
def folder_cfg(cfg, folder_of_images):
    cfg.DATASETS.OWN = CfgNode({"own": {"KIND": "image_folder", "ROOT": str(folder_of_images)}})
    cfg.DATASETS.TRAIN = ("own",)
    cfg.DATALOADER.RESAMPLING = "square_root"
    cfg.DATALOADER.EPOCH_FACTOR = 1.3
    register_own_datasets(cfg)
    return cfg


@pytest.fixture
def coco_cfg(cfg, coco_content, write_coco):
    cfg.DATASETS.OWN = CfgNode({"toys": {"KIND": "coco", **write_coco(coco_content)}})
    cfg.DATASETS.TRAIN = ("toys",)
    cfg.MODEL.MASK_ON = cfg.MODEL.KEYPOINT_ON = True
    register_own_datasets(cfg)
    return cfg


def batches(cfg, count, start_draw=0):
    return list(islice(build_classification_train_loader(cfg, draw_seed(cfg), start_draw), count))


def content(batch):
    return [(s["image_id"], s["gt_classes"].tolist(), s["image"].numpy().tobytes()) for s in batch]


def test_training_batches(folder_cfg):
    for batch in batches(folder_cfg, 5):
        assert len(batch) == 4
        for sample in batch:
            assert sample.keys() == {"image", "gt_classes", "image_id"}
            assert sample["image"].shape == (3, 16, 16)
            assert sample["gt_classes"].tolist() == [["cat", "dog"].index(sample["image_id"].split("/")[0])]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_resumed_run_sees_what_an_unbroken_one_would(folder_cfg, workers):
    folder_cfg.DATALOADER.LABEL_NOISE = 0.5
    unbroken = [content(batch) for batch in batches(folder_cfg, 9)]
    folder_cfg.DATALOADER.NUM_WORKERS = workers
    assert [content(batch) for batch in batches(folder_cfg, 9)] == unbroken
    assert [content(batch) for batch in batches(folder_cfg, 4, start_draw=5 * 4)] == unbroken[5:]


def test_crops_change_between_batches_in_the_last_fifth(folder_cfg):
    folder_cfg.INPUT.CLASSIFICATION.LATE_CROP = 20
    folder_cfg.SOLVER.MAX_ITER = 11  # the last two
    sides = [{sample["image"].shape[1] for sample in batch} for batch in batches(folder_cfg, 11)]
    assert sides == [{16}] * 9 + [{20}] * 2
    resumed = batches(folder_cfg, 2, start_draw=8 * folder_cfg.SOLVER.IMS_PER_BATCH)
    assert [batch[0]["image"].shape[1] for batch in resumed] == [16, 20]


def test_the_fast_mode_changes_pixels_but_not_what_is_drawn(folder_cfg):
    faithful = batches(folder_cfg, 3)
    folder_cfg.INPUT.CLASSIFICATION.TRAIN_RESIZE = "fast"
    quick = batches(folder_cfg, 3)
    assert [[s["image_id"] for s in batch] for batch in quick] == [[s["image_id"] for s in batch] for batch in faithful]
    differences = [
        (a["image"].float() - b["image"].float()).abs().mean() for a, b in zip(quick[0], faithful[0], strict=True)
    ]
    assert 0 < max(differences) < 10


def test_a_run_says_once_what_decodes_its_jpegs(folder_cfg, caplog):
    _LOG_COUNTER.clear()  # other tests have built loaders in this process
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            build_classification_test_loader(folder_cfg, "own")
    [line] = [record.getMessage() for record in caplog.records if "JPEG" in record.getMessage()]
    assert line == f"JPEGs are decoded by {DECODER}"


def test_another_seed_draws_otherwise(folder_cfg):
    first = [content(batch) for batch in batches(folder_cfg, 2)]
    folder_cfg.SEED = 8
    assert [content(batch) for batch in batches(folder_cfg, 2)] != first


def test_without_a_seed_one_is_drawn(folder_cfg):
    folder_cfg.SEED = -1
    assert len(batches(folder_cfg, 1)[0]) == 4


@pytest.mark.parametrize("workers", [0, 2])
def test_evaluation_gives_each_record_once_in_order(folder_cfg, workers):
    folder_cfg.DATALOADER.NUM_WORKERS = workers
    folder_cfg.SOLVER.IMS_PER_BATCH = 3
    loader = build_classification_test_loader(folder_cfg, "own")
    found = list(loader)
    assert [len(batch) for batch in found] == [3, 3, 2]
    assert len(loader) == 3
    assert [s["image_id"] for batch in found for s in batch] == [
        "cat/0.jpg", "cat/1.jpg", "cat/2.png", "cat/4.jpg", "cat/more/3.JPEG", "dog/0.jpg", "dog/1.jpg", "dog/2.jpg",
    ]  # fmt: skip


def test_ranks_evaluate_disjoint_and_complete_parts(folder_cfg, monkeypatch):
    monkeypatch.setattr("detectron2.utils.comm.get_world_size", lambda: 3)
    folder_cfg.SOLVER.IMS_PER_BATCH = 6
    found = []
    for rank in range(3):
        monkeypatch.setattr("detectron2.utils.comm.get_rank", lambda rank=rank: rank)
        found += [s["image_id"] for batch in build_classification_test_loader(folder_cfg, "own") for s in batch]
    assert len(found) == len(set(found)) == 8


def test_ranks_share_a_training_batch(folder_cfg, monkeypatch):
    whole = [content(batch) for batch in batches(folder_cfg, 3)]
    monkeypatch.setattr("detectron2.utils.comm.get_world_size", lambda: 2)
    for rank in range(2):
        monkeypatch.setattr("detectron2.utils.comm.get_rank", lambda rank=rank: rank)
        assert [content(batch) for batch in batches(folder_cfg, 3)] == [batch[rank::2] for batch in whole]


def test_bad_records_are_logged_and_replaced_whatever_the_workers(folder_cfg, folder_of_images):
    (folder_of_images / "cat/0.jpg").write_bytes(b"")
    folder_cfg.DATALOADER.NUM_WORKERS = 2
    seen = {sample["image_id"] for batch in batches(folder_cfg, 6) for sample in batch}
    assert "cat/0.jpg" not in seen
    log = Path(folder_cfg.OUTPUT_DIR, "bad_records.jsonl")
    assert json.loads(log.read_text()) == {"data_set": "own", "name": "cat/0.jpg", "why": "is empty (0 bytes)"}


def test_too_many_bad_records_stop_the_run(folder_cfg, folder_of_images):
    (folder_of_images / "cat/0.jpg").write_bytes(b"")
    with pytest.raises(BadRecordsError, match=r"own: 1\d of \d+ records are bad, the last one cat/0\.jpg"):
        batches(folder_cfg, 200)


def test_a_detection_set_is_no_classification_set(coco_cfg):
    with pytest.raises(DatasetError, match="toys is no classification or hashtag data set"):
        build_classification_train_loader(coco_cfg, 0)


@pytest.mark.parametrize("workers", [0, 2])
def test_detection_training(coco_cfg, workers):
    coco_cfg.SOLVER.IMS_PER_BATCH = 2
    coco_cfg.DATALOADER.NUM_WORKERS = workers
    [batch] = islice(build_detection_train_loader(coco_cfg, 0), 1)
    assert len(batch) == 2
    for sample in batch:
        assert "bad_records" not in sample
        assert {"gt_boxes", "gt_classes", "gt_masks", "gt_keypoints"} == set(sample["instances"].get_fields())


def test_a_sampler_that_cannot_draw_is_refused(coco_cfg):
    coco_cfg.DATALOADER.SAMPLER_TRAIN = "RandomSubsetTrainingSampler"
    coco_cfg.DATALOADER.RANDOM_SUBSET_RATIO = 0.4
    with pytest.raises(DatasetError, match=r"RANDOM_SUBSET_RATIO 0\.4 of 2 images is 0: expected a share"):
        build_detection_train_loader(coco_cfg, 0)
    coco_cfg.DATALOADER.RANDOM_SUBSET_RATIO = 0.5
    seen = {s["file_name"] for batch in islice(build_detection_train_loader(coco_cfg, 0), 4) for s in batch}
    assert len(seen) == 1
    coco_cfg.DATALOADER.SAMPLER_TRAIN = "RandomSampler"
    with pytest.raises(ConfigError, match=r"DATALOADER\.SAMPLER_TRAIN .*RandomSampler"):
        check_config(coco_cfg)


@pytest.mark.parametrize("change", [{"category_id": 2}, {"iscrowd": 1}])
def test_other_objects_are_other_contents(coco_cfg, coco_content, write_coco, change):
    before = training_images(coco_cfg).contents
    assert training_images(coco_cfg).contents == before
    coco_content["annotations"][0].update(change)
    write_coco(coco_content)
    register_own_datasets(coco_cfg)
    assert (training_images(coco_cfg).contents == before) is ("iscrowd" in change)


def test_shapes_are_those_of_the_files_where_records_do_not_say(coco_cfg, tmp_path):
    for size, wide in (((40, 30), True), ((30, 40), False), ((30, 30), False)):
        Image.new("RGB", size).save(tmp_path / "shape.png")
        assert is_wide({"file_name": str(tmp_path / "shape.png")}) is wide
    assert is_wide({"file_name": "gone.png", "width": 9, "height": 4}) and not is_wide({"file_name": "gone.png"})


@pytest.mark.parametrize("grouped", [True, False])
def test_a_request_to_the_whole_detection_run_leaves_the_data_coming(coco_cfg, grouped):
    coco_cfg.SOLVER.IMS_PER_BATCH = 2
    coco_cfg.DATALOADER.NUM_WORKERS = 1
    coco_cfg.DATALOADER.ASPECT_RATIO_GROUPING = grouped
    others = set(multiprocessing.active_children())
    batches = iter(build_detection_train_loader(coco_cfg, 0))
    next(batches)
    [worker] = set(multiprocessing.active_children()) - others
    kill = f"import os, signal; os.kill({worker.pid}, signal.SIGTERM)"
    subprocess.run([sys.executable, "-c", kill], check=True)  # as a scheduler does: from another process
    for _ in range(6):  # more than were made ahead
        assert len(next(batches)) == 2
    assert worker.is_alive()


def test_images_of_the_test_set_are_looked_for_before_training(coco_cfg, tmp_path):
    coco_cfg.DATASETS.TEST = ("toys",)
    check_detection_tests(coco_cfg)
    shutil.rmtree(tmp_path / "images")
    with pytest.raises(BadRecordsError, match="toys: 2 of 2 image files are missing"):
        check_detection_tests(coco_cfg)


RUNS = {"size": [40, 50], "counts": [300, 1700]}


def test_run_lengths_are_refused_where_polygons_are_expected(coco_cfg, coco_content, write_coco):
    coco_content["annotations"][2]["segmentation"] = RUNS
    write_coco(coco_content)
    register_own_datasets(coco_cfg)
    with pytest.raises(DatasetError, match=r"toys: 1 of 3 masks are run lengths, .* set it to bitmask"):
        build_detection_train_loader(coco_cfg, 0)


@pytest.mark.parametrize("mask", [[], None, [[]], [[5, 6]], {"size": [50, 40], "counts": [2000]}, "mask"])
def test_an_object_without_a_usable_mask_counts_where_boxes_alone_are_asked_for(
    coco_cfg, coco_content, write_coco, mask
):
    coco_content["annotations"][2]["segmentation"] = mask
    write_coco(coco_content)
    for coco_cfg.MODEL.MASK_ON, count in ((True, 2), (False, 3)):
        register_own_datasets(coco_cfg)
        records = DatasetCatalog.get("toys")
        assert sum(len(record["annotations"]) for record in records) == count
        build_detection_train_loader(coco_cfg, 0)
    assert "annotation 3 of image 2" in Path(coco_cfg.OUTPUT_DIR, "bad_records.jsonl").read_text()


def test_where_no_keypoint_is_labelled_the_setting_that_leaves_all_out_is_named(coco_cfg, coco_content, write_coco):
    for annotation in coco_content["annotations"]:
        annotation.update(keypoints=[0] * 9, num_keypoints=0)
    write_coco(coco_content)
    register_own_datasets(coco_cfg)
    with pytest.raises(DatasetError, match=r"toys: MODEL\.ROI_KEYPOINT_HEAD\.MIN_KEYPOINTS_PER_IMAGE leaves out all 2"):
        build_detection_train_loader(coco_cfg, 0)
    coco_cfg.MODEL.ROI_KEYPOINT_HEAD.MIN_KEYPOINTS_PER_IMAGE = 0
    build_detection_train_loader(coco_cfg, 0)


def test_where_there_are_but_crowds_the_setting_is_named(coco_cfg, coco_content, write_coco):
    for annotation in coco_content["annotations"]:
        annotation["iscrowd"] = 1
    write_coco(coco_content)
    register_own_datasets(coco_cfg)
    with pytest.raises(DatasetError, match=r"DATALOADER\.FILTER_EMPTY_ANNOTATIONS leaves out all 2 images"):
        build_detection_train_loader(coco_cfg, 0)


def test_a_class_without_keypoints_trains_beside_persons(coco_cfg, coco_content, write_coco, caplog):
    del coco_content["annotations"][1]["keypoints"], coco_content["categories"][1]["keypoints"]
    write_coco(coco_content)
    coco_cfg.SOLVER.IMS_PER_BATCH = 2
    register_own_datasets(coco_cfg)
    [batch] = islice(build_detection_train_loader(coco_cfg, 0), 1)
    assert all("gt_keypoints" in sample["instances"].get_fields() for sample in batch)
    assert "toys: 1 of 3 annotations are of classes or crowds without keypoints" in caplog.text


@pytest.mark.parametrize(
    ("names", "pairs", "flip", "warned"),
    [
        (["nose", "L_hand", "R_hand"], [], "horizontal", ""),
        (["nose", "hand", "other hand"], [], "horizontal", "the keypoints nose, hand, other hand have no other side"),
        (["nose", "hand", "other hand"], [], "none", ""),
        (["nose", "hand", "other hand"], [["hand", "other hand"]], "horizontal", ""),
        (["left_toe", "L_hand", "R_hand"], [], "horizontal", "the keypoints left_toe have no other side"),
    ],
)
def test_keypoints_that_flips_leave_on_their_side(
    coco_cfg, coco_content, write_coco, caplog, names, pairs, flip, warned
):
    for category in coco_content["categories"]:
        category["keypoints"] = names
    write_coco(coco_content)
    coco_cfg.DATASETS.OWN.toys.KEYPOINT_PAIRS, coco_cfg.INPUT.RANDOM_FLIP = pairs, flip
    register_own_datasets(coco_cfg)
    build_detection_train_loader(coco_cfg, 0)
    assert (warned in caplog.text) if warned else ("have no other side" not in caplog.text)


def test_images_that_are_all_bad_stop_an_evaluation_however_few(coco_cfg, coco_content, write_coco):
    for image in coco_content["images"]:
        image["width"], image["height"] = image["height"], image["width"]
    for annotation in coco_content["annotations"]:
        annotation["bbox"] = [5, 6, 20, 10]
    write_coco(coco_content)
    register_own_datasets(coco_cfg)
    with pytest.raises(BadRecordsError, match=r"all 2 records are bad, the last one .*: width and height are exch"):
        list(build_detection_test_loader(coco_cfg, "toys"))


def test_run_lengths_are_trained_on_as_bitmasks_and_of_crowds_in_any_case(coco_cfg, coco_content, write_coco):
    coco_content["annotations"][2].update(segmentation=RUNS)
    coco_content["annotations"][1].update(segmentation=RUNS, iscrowd=1)
    write_coco(coco_content)
    coco_cfg.SOLVER.IMS_PER_BATCH, coco_cfg.INPUT.MASK_FORMAT = 2, "bitmask"
    register_own_datasets(coco_cfg)
    [batch] = islice(build_detection_train_loader(coco_cfg, 0), 1)
    assert all("gt_masks" in sample["instances"].get_fields() for sample in batch)


def test_detection_evaluation_shows_a_missing_image_as_grey(coco_cfg, tmp_path):
    (tmp_path / "images/2.jpg").unlink()
    good, bad = (batch[0] for batch in build_detection_test_loader(coco_cfg, "toys"))
    assert len(good["image"].unique()) > 1
    assert torch.equal(bad["image"].unique(), torch.tensor([128], dtype=torch.uint8))
    assert "2.jpg" in Path(coco_cfg.OUTPUT_DIR, "bad_records.jsonl").read_text()


def test_detection_training_replaces_a_missing_image(coco_cfg, tmp_path):
    (tmp_path / "images/2.jpg").unlink()
    coco_cfg.SOLVER.IMS_PER_BATCH = 2
    coco_cfg.DATASETS.MAX_BAD_SHARE = 1.0
    for batch in islice(build_detection_train_loader(coco_cfg, 0), 3):
        assert [sample["image_id"] for sample in batch] == [1, 1]


@pytest.mark.parametrize("name", ["coco_2017_val", "keypoints_coco_2017_val"])
def test_builtin_coco_sets(cfg, real_data, monkeypatch, tmp_path, name):
    (tmp_path / "datasets").symlink_to(real_data)  # where builtin sets lie when $DETECTRON2_DATASETS is not set
    monkeypatch.chdir(tmp_path)
    assert len(list(build_detection_test_loader(cfg, name))) == 79
