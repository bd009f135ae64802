"""Tests of the two parts of a training set on which settings are tried and chosen."""

import numpy as np
import pytest
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog

from igdet.data import register_own_datasets
from igdet.data.held_out import tuning_part
from igdet.data.readers.image_folder import read_image_folder
from igdet.data.records import ArrayRecords, files_of_one_label
from igdet.formats.errors import DatasetError


def files(*sizes):
    paths = [f"c{label}/{i}.jpg" for label, size in enumerate(sizes) for i in range(size)]
    return files_of_one_label("root", paths, np.repeat(np.arange(len(sizes)), sizes))


def test_a_fifth_of_every_class_but_at_least_one_and_at_most_half():
    choice = tuning_part(files(50, 9, 4, 2, 1), "choice")
    assert np.bincount(choice.label_ids, minlength=5).tolist() == [10, 1, 1, 1, 0]


def test_the_parts_make_the_whole():
    whole = files(20, 7)
    fit, choice = (tuning_part(whole, part) for part in ("fit", "choice"))
    assert {record["file_name"] for record in fit} | {record["file_name"] for record in choice} == {
        record["file_name"] for record in whole
    }
    assert len(fit) + len(choice) == len(whole)
    assert all(record["image_id"].startswith(f"c{record['gt_classes'][0]}/") for record in [*fit, *choice])


def test_the_same_images_as_an_image_folder_holds_out(tmp_path):
    for label in "ab":
        (tmp_path / label).mkdir()
        for i in range(10):
            (tmp_path / label / f"{label}{i}.jpg").touch()
    whole, held_out = (
        read_image_folder(str(tmp_path), ["a", "b"]),
        read_image_folder(str(tmp_path), ["a", "b"], 2, "val"),
    )
    assert [record["image_id"] for record in tuning_part(whole, "choice")] == held_out.paths.to_pylist()


def test_images_in_memory_keep_name_and_bytes():
    images = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((2, 2, 3), np.uint8)
    choice = tuning_part(ArrayRecords(images, np.zeros(10, np.int32)), "choice")
    assert [choice.read(i)[-1] for i in range(2)] == [int(choice.image_id(i)) for i in range(2)]


def test_nothing_to_choose_on():
    with pytest.raises(DatasetError, match="no class has two images"):
        tuning_part(files(1, 1), "fit")


def register(cfg, train, test, **own):
    cfg.DATASETS.OWN = CfgNode(own)
    cfg.DATASETS.TRAIN, cfg.DATASETS.TEST = (train,), (test,)
    register_own_datasets(cfg)


def test_parts_of_a_set_in_yaml_go_by_its_name(cfg, folder_of_images):
    register(cfg, "pets_fit", "pets_choice", pets={"KIND": "image_folder", "ROOT": str(folder_of_images)})
    assert (len(DatasetCatalog.get("pets_fit")), len(DatasetCatalog.get("pets_choice"))) == (6, 2)
    metadata = MetadataCatalog.get("pets_choice")
    assert (metadata.evaluator_type, metadata.thing_classes) == ("classification", ["cat", "dog"])


def test_parts_follow_their_whole(cfg, folder_of_images, tmp_path):
    fields = {"KIND": "image_folder", "ROOT": str(folder_of_images)}
    register(cfg, "pets_fit", "pets_choice", pets=fields)
    (tmp_path / "keep.txt").write_text("dog\n")
    register(cfg, "pets_fit", "pets_choice", pets={**fields, "CLASSES": str(tmp_path / "keep.txt")})
    assert len(DatasetCatalog.get("pets_fit")) == 2


def test_a_set_of_that_name_comes_first(cfg, folder_of_images):
    register(cfg, "pets_fit", "pets_fit", pets_fit={"KIND": "image_folder", "ROOT": str(folder_of_images)})
    assert len(DatasetCatalog.get("pets_fit")) == 8


def test_what_is_no_training_set_of_classification_is_not_cut(cfg, coco_content, write_coco):
    own = {"boxes": {"KIND": "coco", **write_coco(coco_content)}}
    with pytest.raises(DatasetError, match="boxes_choice: only training sets of classification"):
        register(cfg, "boxes_fit", "boxes_choice", **own)
