"""Tests of data sets named in YAML."""

import re

import pytest
import yaml
from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog

from igdet.data import register_own_datasets
from igdet.data.kinds import KINDS
from igdet.formats.errors import DatasetError
from igdet.formats.shards import ShardWriter
from igdet.formats.vocabulary import Vocabulary

VOCABULARY = Vocabulary([("cat", "kitten"), ("dog",)])


def register(cfg, used=("own",), **own):
    cfg.DATASETS.OWN = CfgNode(own)
    cfg.DATASETS.TRAIN = used
    register_own_datasets(cfg)


def test_an_image_folder(cfg, folder_of_images):
    register(cfg, own={"KIND": "image_folder", "ROOT": str(folder_of_images)})
    assert len(DatasetCatalog.get("own")) == 8
    metadata = MetadataCatalog.get("own")
    assert (metadata.evaluator_type, metadata.thing_classes) == ("classification", ["cat", "dog"])


def test_a_hashtag_table(cfg, tmp_path):
    VOCABULARY.write(tmp_path / "vocabulary.txt")
    (tmp_path / "posts.csv").write_text("photo,hashtags\na.jpg,#kitten\n")
    fields = {"ROOT": str(tmp_path), "ANNOTATIONS": str(tmp_path / "posts.csv")}
    vocabulary = {"VOCABULARY": str(tmp_path / "vocabulary.txt"), "IMAGE_COLUMN": "photo"}
    register(cfg, own={"KIND": "hashtag_table", **fields, **vocabulary})
    assert DatasetCatalog.get("own")[0]["image_id"] == "a.jpg"
    assert (MetadataCatalog.get("own").evaluator_type, MetadataCatalog.get("own").thing_classes) == (
        "hashtags",
        ["cat", "dog"],
    )


def test_hashtag_shards(cfg, tmp_path):
    with ShardWriter(tmp_path / "posts", VOCABULARY) as writer:
        writer.add("p0", b"", ["dog"])
    register(cfg, own={"KIND": "hashtag_shards", "ROOT": str(tmp_path / "posts")})
    assert DatasetCatalog.get("own")[0]["gt_classes"].tolist() == [1]
    assert MetadataCatalog.get("own").evaluator_type == "hashtags"


def test_coco(cfg, coco_content, write_coco):
    register(cfg, own={"KIND": "coco", **write_coco(coco_content)})
    assert len(DatasetCatalog.get("own")) == 2
    assert MetadataCatalog.get("own").evaluator_type == "coco"


def test_registering_again_replaces(cfg, folder_of_images, tmp_path):
    (tmp_path / "keep.txt").write_text("dog\n")
    fields = {"KIND": "image_folder", "ROOT": str(folder_of_images)}
    register(cfg, own=fields)
    register(cfg, own={**fields, "CLASSES": str(tmp_path / "keep.txt")})
    assert MetadataCatalog.get("own").thing_classes == ["dog"]
    assert len(DatasetCatalog.get("own")) == 3


def test_paths_may_use_the_home_folder_and_variables(cfg, folder_of_images, monkeypatch):
    monkeypatch.setenv("HOME", str(folder_of_images.parent))
    monkeypatch.setenv("IMAGES", folder_of_images.name)
    register(cfg, own={"KIND": "image_folder", "ROOT": "~/$IMAGES"})
    assert len(DatasetCatalog.get("own")) == 8


def test_files_of_sets_that_are_not_used_need_not_be_there(cfg):
    register(cfg, used=(), unused={"KIND": "image_folder", "ROOT": "no/such/folder"})
    assert "unused" not in DatasetCatalog


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"ROOT": "x"},
            r"DATASETS\.OWN\.own needs a KIND, one of hashtag_shards, hashtag_stream, .*, coco",
        ),
        ({"KIND": "imagefolder", "ROOT": "x"}, "imagefolder"),
        ({"KIND": "image_folder"}, "image_folder needs the field ROOT"),
        ({"KIND": "image_folder", "ROOT": "x", "ANNOTATIONS": "y"}, "has no field 'ANNOTATIONS'; it has"),
        ({"KIND": "image_folder", "ROOT": "no/such"}, r"DATASETS\.OWN\.own\.ROOT: no/such does not exist.*The head of"),
    ],
)
def test_wrong_settings_are_named(cfg, fields, message):
    with pytest.raises(DatasetError, match=message):
        register(cfg, own=fields)


def test_what_the_kind_refuses_names_the_data_set(cfg, folder_of_images):
    with pytest.raises(DatasetError, match=r"^own: SPLIT 'val' with HELD_OUT 0: expected"):
        register(cfg, own={"KIND": "image_folder", "ROOT": str(folder_of_images), "SPLIT": "val"})


def test_settings_that_are_no_table_are_refused(cfg):
    with pytest.raises(DatasetError, match="needs a KIND"):
        register(cfg, own="image_folder")


def test_a_builtin_name_is_refused(cfg, folder_of_images):
    with pytest.raises(DatasetError, match="coco_2017_train is the name of a builtin data set"):
        register(cfg, coco_2017_train={"KIND": "image_folder", "ROOT": str(folder_of_images)})


def test_the_examples_of_the_documentation_have_the_right_fields(cfg, repository):
    text = (repository / "docs/DATASETS.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    kinds = set()
    for example in examples:
        own = yaml.safe_load(example)["DATASETS"]["OWN"]
        register(cfg, used=(), **own)
        kinds |= {fields["KIND"] for fields in own.values()}
    assert kinds == set(KINDS)
