"""The images that two configs train on, and how far they are apart by one trunk."""

import json
import shutil

import numpy as np
import pytest
import torch
from detectron2.data import DatasetCatalog
from PIL import Image

from igdet.config import ConfigError
from igdet.data.subsets import name_hash
from igdet.engine import merged_config
from igdet.engine.distances import check_trunk, image_distances, training_images
from igdet.engine.features import features_of
from igdet.engine.setup import setup
from igdet.engine.trainer import Trainer
from igdet.evaluation.distances import distances
from igdet.formats.errors import DatasetError


@pytest.fixture
def opened(colour_config):
    """The training images of that config with overrides."""
    return lambda *opts, images=2000: training_images(merged_config(str(colour_config), opts), images)


def names_of(images):
    records = DatasetCatalog.get(images.name)
    return [records.image_id(index) for index in range(len(records))]


def test_the_first_images_of_the_hash_order_are_taken_without_their_labels(opened):
    whole, some = opened(), opened(images=5)
    assert whole.count == 24 and whole.classes == ("blue", "green", "red") and not whole.is_detection
    assert set(names_of(some)) == set(sorted(names_of(whole), key=name_hash)[:5])
    assert set(DatasetCatalog.get(some.name).label_ids) == {0}


def test_equal_images_have_equal_names_and_names_in_configs_may_come_again(opened, colour_folders):
    first = opened()
    other = opened("DATASETS.OWN.colours_train.ROOT", str(colour_folders / "val"))
    assert other.name != first.name  # though both are called colours_train
    assert opened() == first
    assert names_of(first) == names_of(other)


def test_a_detector_trains_on_whole_images(tmp_path, colour_config):
    """Also on those of several data sets, and on images without an object."""
    sets = {}
    for name in ("a", "b"):
        Image.new("RGB", (20, 10)).save(tmp_path / f"{name}.png")
        Image.new("RGB", (20, 10)).save(tmp_path / f"{name}_empty.png")
        files = (f"{name}.png", f"{name}_empty.png")
        content = {
            "images": [{"id": i, "file_name": file, "width": 20, "height": 10} for i, file in enumerate(files, 1)],
            "categories": [{"id": 3, "name": "dog"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 1, 5, 5], "area": 25, "iscrowd": 0}],
        }
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
        sets[name] = {"KIND": "coco", "ROOT": str(tmp_path), "ANNOTATIONS": str(tmp_path / f"{name}.json")}
    cfg = merged_config(str(colour_config), [])
    cfg.DATASETS.OWN, cfg.DATASETS.TRAIN = type(cfg)(sets), ("a", "b")
    found = training_images(cfg)
    assert found.is_detection and found.classes == ("dog",) and found.count == 4
    assert {file.rpartition("/")[2] for file in names_of(found)} == {"a.png", "b.png", "a_empty.png", "b_empty.png"}


def test_distances_are_those_of_the_features(command, opened, colour_folders, tmp_path):
    cfg = setup(command())
    torch.manual_seed(0)
    trunk = Trainer.build_model(cfg)
    train, blue = opened(), tmp_path / "blue"
    shutil.copytree(colour_folders / "val" / "blue", blue / "blue")
    others = opened("DATASETS.OWN.colours_train.ROOT", str(blue))
    found = image_distances(cfg, trunk, train, others)
    expected = distances(*(features_of(cfg, trunk, images.name).features for images in (train, others)))
    np.testing.assert_equal(found, expected)
    assert found.frechet > 10 * abs(image_distances(cfg, trunk, train, train).frechet)


def test_what_has_no_first_images_or_no_description_is_refused(opened, monkeypatch):
    with pytest.raises(DatasetError, match=r"DATASETS\.TRAIN names colour_train, which no config describes"):
        opened("DATASETS.TRAIN", "('colour_train',)")
    monkeypatch.setattr("igdet.engine.distances.DatasetCatalog.get", lambda name: object())
    with pytest.raises(DatasetError, match="colours_train: a stream has no first images"):
        opened()


def test_a_trunk_that_pools_no_features_is_refused(colour_config):
    cfg = merged_config(str(colour_config), ["MODEL.META_ARCHITECTURE", "GeneralizedRCNN"])
    with pytest.raises(ConfigError, match="META_ARCHITECTURE is GeneralizedRCNN: distances need an ImageClassifier"):
        check_trunk(cfg)
