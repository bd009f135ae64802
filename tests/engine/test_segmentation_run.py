"""Segmentation from configs alone, on a small world: Semantic FPN, the linear head, Panoptic FPN."""

import argparse
import json
from dataclasses import replace

import numpy as np
import pytest
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.data.datasets import register_coco_panoptic_separated

from igdet.config import ConfigError
from igdet.data import register_own_datasets
from igdet.data.segmentation import label_map
from igdet.engine import evaluate, setup_config, train
from igdet.engine.setup import setup
from igdet.formats.label_maps import encode_class_ids
from igdet.world.build import WORLD_SIZES, write_world

SMALL = (
    *("MODEL.DEVICE", "cpu", "DATALOADER.NUM_WORKERS", "0", "SOLVER.IMS_PER_BATCH", "2"),
    *("SOLVER.IMAGES_SEEN", "6", "SOLVER.WARMUP_IMAGES", "2", "SOLVER.LR_DROPS", "1"),
)
PIXELS = {"mIoU", "fwIoU", "mACC", "pACC"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder that holds runs/world."""
    folder = tmp_path_factory.mktemp("segmentation")
    size = replace(WORLD_SIZES["tiny"], posts_train=2, posts_val=2, loose_posts=2, scenes_train=6, scenes_val=3)
    write_world(folder / "runs/world", size, seed=0, workers=1)
    return folder


@pytest.fixture
def command(world, tmp_path, repository, monkeypatch):
    """The command line of a config for the world, as parsed; it writes to the test's own folder."""
    monkeypatch.chdir(world)

    def parsed(config, *opts, eval_only=False):
        path = repository / "configs/quick_schedules" / f"{config}_world.yaml"
        opts = [*SMALL, "OUTPUT_DIR", str(tmp_path / "run"), *opts]
        return argparse.Namespace(config_file=str(path), opts=opts, resume=False, eval_only=eval_only)

    return parsed


def trained(args):
    return train(setup(args), args)


@pytest.mark.parametrize("config", ["semantic_fpn", "linear_segmentation"])
def test_pixels_are_learnt_and_scored(command, tmp_path, config):
    results = trained(command(config))["world_semantic_val"]
    assert set(results) == {"sem_seg"} and set(results["sem_seg"]) >= PIXELS
    record = json.loads((tmp_path / "run/results.json").read_text())
    assert record["results"]["world_semantic_val"] == results
    matrix = json.loads((tmp_path / "run/inference/world_semantic_val/confusion_matrix.json").read_text())
    assert len(matrix["classes"]) == 17
    assert 0 < np.sum(matrix["pixels"]) <= 3 * 128 * 128  # of things that are hardly seen nobody knows the class
    args = command(config, "MODEL.WEIGHTS", str(tmp_path / "run/model_final.pth"), eval_only=True)
    assert evaluate(setup(args), args)["world_semantic_val"] == results


def test_things_and_stuff_are_learnt_and_scored(command):
    """Nothing is sure enough after six images to be a segment: the quality is 0, not absent."""
    results = trained(command("panoptic_fpn"))["world_panoptic_val"]
    assert set(results) == {"bbox", "segm", "sem_seg", "panoptic_seg"}
    assert {"IoU-things", "IoU-background"} <= set(results["sem_seg"])
    assert set(results["panoptic_seg"]) == {f"{q}Q{group}" for q in "PSR" for group in ("", "_th", "_st")}
    assert results["panoptic_seg"]["PQ_th"] == 0


@pytest.fixture
def detectron2_sets(command, world):
    """The panoptic sets of the config, as Detectron2 registers COCO's: stuff in label maps of its own."""
    cfg = setup_config(command("panoptic_fpn"))
    register_own_datasets(cfg)
    folder = world / "runs/world/coco"
    for split in ("train", "val"):
        own = f"world_panoptic_{split}"
        (folder / f"stuff_{split}").mkdir(exist_ok=True)
        for record in DatasetCatalog.get(own):
            name = record["pan_seg_file_name"].rpartition("/")[2]
            (folder / f"stuff_{split}" / name).write_bytes(encode_class_ids(label_map(record, 2, 255)))
        metadata = MetadataCatalog.get(own).as_dict()
        ids = {key: metadata[key] for key in metadata if key.startswith(("thing_", "stuff_"))}
        files = [str(folder / name) for name in (split, f"panoptic_{split}", f"annotations/panoptic_{split}.json")]
        stuff, instances = folder / f"stuff_{split}", folder / f"annotations/instances_{split}.json"
        register_coco_panoptic_separated(f"theirs_{split}", ids, *files, str(stuff), str(instances))
    yield
    for name in ("theirs_train", "theirs_val"):
        for kind in ("separated", "stuffonly"):
            DatasetCatalog.remove(f"{name}_{kind}")
            MetadataCatalog.remove(f"{name}_{kind}")


def named(kind):
    return "DATASETS.TRAIN", f"('theirs_train_{kind}',)", "DATASETS.TEST", f"('theirs_val_{kind}',)"


def test_sets_that_detectron2_registers_give_the_same_numbers(command, detectron2_sets):
    ours = trained(command("panoptic_fpn"))["world_panoptic_val"]
    theirs = trained(command("panoptic_fpn", *named("separated")))["theirs_val_separated"]
    for task in ours:
        assert theirs[task] == pytest.approx(ours[task], nan_ok=True)


def test_stuff_alone_is_learnt_from_detectron2s_sets(command, detectron2_sets):
    args = command("semantic_fpn", *named("stuffonly"), "MODEL.SEM_SEG_HEAD.NUM_CLASSES", "2")
    assert set(trained(args)["theirs_val_stuffonly"]["sem_seg"]) >= {"mIoU", "IoU-things"}


@pytest.mark.parametrize(
    ("opts", "message"),
    [
        (
            ("MODEL.SEM_SEG_HEAD.NUM_CLASSES", "16"),
            "SEM_SEG_HEAD.NUM_CLASSES is 16, but world_semantic_train .* has 17",
        ),
        (("MODEL.SEM_SEG_HEAD.IGNORE_VALUE", "0"), "IGNORE_VALUE is 0, but pixels that do not count are 255 in world_"),
        (("MODEL.BACKBONE.FREEZE_AT", "2"), "STANDARDIZE is True with MODEL.BACKBONE.FREEZE_AT 2: expected 5"),
        (("MODEL.SEM_SEG_HEAD.IN_FEATURES", "['p2']"), "SEM_SEG_HEAD.IN_FEATURES: .* X_26_8x4d has no p2"),
        (("MODEL.SEM_SEG_HEAD.IN_FEATURES", "[]"), "SEM_SEG_HEAD.IN_FEATURES is .*: expected at least one map"),
        (("MODEL.SEM_SEG_HEAD.NAME", "LinearHead"), "SEM_SEG_HEAD.NAME is 'LinearHead': expected a registered segm"),
        (("TEST.AUG.ENABLED", "True"), "TEST.AUG.ENABLED is True: .* not of SemanticSegmentor"),
        (("MODEL.MASK_ON", "True"), "MODEL.MASK_ON is True, but MODEL.META_ARCHITECTURE SemanticSegmentor"),
        (("INPUT.LARGE_SCALE_JITTER.SIDE", "128"), "LARGE_SCALE_JITTER.SIDE is 128: expected 0 with Semantic"),
    ],
)
def test_what_cannot_run_is_named_at_the_start(command, opts, message):
    with pytest.raises(ConfigError, match=message):
        setup_config(command("linear_segmentation", *opts))
