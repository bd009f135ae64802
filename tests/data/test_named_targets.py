"""Tests of targets by name: the table, and data sets registered from it."""

from pathlib import Path

import pytest
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog

from igdet.config import merge_config_file
from igdet.data import register_own_datasets
from igdet.data.kinds import KINDS
from igdet.data.own_datasets import checked_fields
from igdet.data.readers.torchvision_sets import CLASSES
from igdet.engine import merged_config
from igdet.formats.errors import DatasetError
from igdet.formats.targets import SPLITS, TARGETS, fields_of, target_of, transfer_options

# places365_easy are the images of places365.
DETECTION = ("coco_2017", "keypoints_coco_2017", "lvis_v1")
CLASSIFICATION = [name for name in TARGETS if name not in (*DETECTION, "places365_easy")]


@pytest.fixture
def folder(tmp_path, monkeypatch, save_image):
    """Where all data sets are expected, with a CUB2011 of two images and a little of ImageNet's 1k, 2011 and A."""
    root = tmp_path / "datasets"
    monkeypatch.setenv("DETECTRON2_DATASETS", str(root))
    birds = root / "CUB_200_2011"
    save_image(birds / "images/001.A/a.jpg", 0)
    save_image(birds / "images/002.B/b.jpg", 1)
    for name, content in {
        "classes": "1 001.A\n2 002.B\n",
        "images": "1 001.A/a.jpg\n2 002.B/b.jpg\n",
        "image_class_labels": "1 1\n2 2\n",
        "train_test_split": "1 1\n2 0\n",
    }.items():
        (birds / f"{name}.txt").write_text(content)
    for wnid, count in (("n00004475", 6), ("n01440764", 120)):
        for i in range(count):
            path = root / f"imagenet22k/images/{wnid}/{wnid}_{i}.JPEG"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    (root / "imagenet22k/imagenet5k.txt").write_text("n01440764\n")
    save_image(root / "imagenet-a/n01498041/a.jpg", 2)
    return root


def use(cfg, train=(), test=(), **own):
    cfg.DATASETS.TRAIN, cfg.DATASETS.TEST, cfg.DATASETS.OWN = train, test, CfgNode(own)
    register_own_datasets(cfg)


@pytest.mark.parametrize("name", SPLITS)
def test_the_fields_are_the_kinds(name):
    checked_fields(name, fields_of(name, "datasets"))
    assert target_of(name) in TARGETS.values()


def test_torchvision_reads_what_is_read_of_it():
    named = {fields_of(name, "datasets").get("CLASS") for name in SPLITS} - {None}
    assert named <= set(CLASSES)


def test_no_name_is_one_of_detectron2s_but_those_of_detection():
    builtin = {name for name in SPLITS if name in DatasetCatalog and not MetadataCatalog.get(name).get("own_kind")}
    assert builtin == {f"{name}_{split}" for name in DETECTION for split in ("train", "val")}


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_every_target_has_configs_with_its_classes(cfg, name, repository):
    parts = [f"{name}_{split}" for split in TARGETS[name].splits]
    if KINDS[SPLITS[parts[0]].fields["KIND"]].only_for == "evaluation":
        merge_config_file(cfg, repository / "configs/Classification/evaluate_imagenet_variants_X_101_32x8d_ig.yaml")
        assert set(parts) <= set(cfg.DATASETS.TEST)
        return
    for path in ("Classification/finetune", "LinearProbe/linear"):
        cfg = merged_config(str(repository / f"configs/{path}_X_101_32x8d_ig.yaml"), transfer_options(name))
        assert list(cfg.DATASETS.TRAIN) == [f"{name}_train"]
        assert list(cfg.DATASETS.TEST) == [parts[-1]]
        assert TARGETS[name].classes == cfg.MODEL.CLASSIFIER.NUM_CLASSES


def test_a_target_needs_no_entry(cfg, folder):
    use(cfg, ("cub2011_train",), ("cub2011_test",))
    assert [record["image_id"] for record in DatasetCatalog.get("cub2011_train")] == ["001.A/a.jpg"]
    assert [record["gt_classes"].tolist() for record in DatasetCatalog.get("cub2011_test")] == [[1]]
    assert MetadataCatalog.get("cub2011_test").thing_classes == ["001.A", "002.B"]


def test_an_entry_takes_its_place(cfg, folder, folder_of_images):
    use(cfg, ("cub2011_train",), cub2011_train={"KIND": "image_folder", "ROOT": str(folder_of_images)})
    assert len(DatasetCatalog.get("cub2011_train")) == 8


def test_fifty_of_every_class_are_held_out_the_same_in_every_subset(cfg, folder):
    use(cfg, ("imagenet22k_train",), ("imagenet22k_val", "imagenet5k_val"))
    sizes = {name: len(DatasetCatalog.get(name)) for name in ("imagenet22k_train", "imagenet22k_val")}
    assert sizes == {"imagenet22k_train": 70 + 3, "imagenet22k_val": 50 + 3}
    large, small = (
        {record["image_id"] for record in DatasetCatalog.get(name)} for name in ("imagenet22k_val", "imagenet5k_val")
    )
    assert small == {name for name in large if name.startswith("n01440764")}


def test_settings_are_chosen_on_a_part_of_the_training_set(cfg, folder):
    use(cfg, ("imagenet22k_train_fit",), ("imagenet22k_train_choice",))
    parts = [
        {record["image_id"] for record in DatasetCatalog.get(name)}
        for name in (*cfg.DATASETS.TRAIN, *cfg.DATASETS.TEST)
    ]
    assert [len(part) for part in parts] == [56 + 2, 14 + 1]  # of 70 and of 3 images
    assert set.union(*parts) == {record["image_id"] for record in DatasetCatalog.get("imagenet22k_train")}


def test_a_set_for_evaluation_only_is_not_cut(cfg, folder):
    pytest.importorskip("timm.data")
    with pytest.raises(DatasetError, match="imagenet_a_test_choice: only training sets of classification can be cut"):
        use(cfg, (), ("imagenet_a_test_choice",))


def test_a_set_of_some_classes_restricts_the_answers(cfg, folder):
    timm = pytest.importorskip("timm.data")
    use(cfg, (), ("imagenet_a_test",))
    metadata = MetadataCatalog.get("imagenet_a_test")
    assert metadata.thing_classes == timm.ImageNetInfo().label_names()
    assert [metadata.thing_classes[i] for i in metadata.answers] == ["n01498041"]


@pytest.mark.parametrize(
    "name", [name for name in SPLITS if TARGETS[name.rpartition("_")[0]].held_out == "evaluation only"]
)
def test_evaluation_only(cfg, name):
    with pytest.raises(DatasetError, match=rf"DATASETS\.TRAIN: {name} is a .*, which is for evaluation only"):
        use(cfg, (name,))


def test_missing_files_point_to_the_check(cfg, folder):
    with pytest.raises(DatasetError, match=r"dtd_train: ROOT: .*dtd does not exist.*check_dataset\.py dtd`"):
        use(cfg, ("dtd_train",))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"KIND": "image_folder", "ROOT": "x", "HELD_OUT": "50"}, r"HELD_OUT is '50': expected a whole number"),
        ({"KIND": "torchvision", "ROOT": "x", "CLASS": "DTD", "ARGS": "train"}, "ARGS is 'train': expected a mapping"),
        ({"KIND": "cub2011", "ROOT": 3, "SPLIT": "train"}, "ROOT is 3: expected a text"),
    ],
)
def test_fields_of_another_type(cfg, fields, message):
    with pytest.raises(DatasetError, match=message):
        use(cfg, own=fields)


def test_tiny_imagenet_as_an_imagenet_folder(cfg, real_data):
    root = real_data / "tiny-imagenet"
    fields = {"KIND": "image_folder", "ROOT": str(root / "train"), "HELD_OUT": 50}
    use(
        cfg,
        ("tiny_train",),
        ("tiny_val",),
        tiny_train={**fields, "SPLIT": "train"},
        tiny_val={**fields, "SPLIT": "val"},
    )
    train, val = DatasetCatalog.get("tiny_train"), DatasetCatalog.get("tiny_val")
    wnids = MetadataCatalog.get("tiny_val").thing_classes
    assert wnids == sorted(path.name for path in Path(root, "train").iterdir())
    assert (len(train), len(val)) == (100 * 150, 100 * 50)
    assert all(record["image_id"].startswith(wnids[record["gt_classes"][0]]) for record in val)
