"""Whole worlds: complete, valid, the same whatever the number of processes, and never overwritten."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from pycocotools.coco import COCO

from igdet.formats.shards import ShardIndex, ShardReader
from igdet.formats.vocabulary import Vocabulary
from igdet.world.build import WORLD_SIZES, WorldError, write_world
from igdet.world.taxonomy import WNIDS

cv2 = pytest.importorskip("cv2")
SIZE = replace(WORLD_SIZES["tiny"], posts_train=48, posts_val=8, clean_train=2, target_train=1, target_val=1)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp("worlds") / "world"
    assert write_world(out, SIZE, seed=3, workers=1)
    return out


def decode(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def test_shards_hold_decodable_posts_with_labels(world):
    index = ShardIndex.open(world / "posts/train")
    assert len(index) == 48 and len(ShardIndex.open(world / "posts/val")) == 8
    assert (np.diff(index.label_offsets) >= 1).all()
    assert decode(ShardReader(index).read(47)).shape == (64, 64, 3)


def test_loose_posts_have_raw_tags_that_the_vocabulary_knows(world):
    vocabulary = Vocabulary.read(world / "loose/vocabulary.txt")
    with (world / "loose/posts.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == SIZE.loose_posts
    assert all((world / "loose" / row["image"]).is_file() for row in rows)
    assert all(len(vocabulary.ids(row["hashtags"].split())) for row in rows)


@pytest.mark.parametrize(("part", "per_class"), [("clean/train", 2), ("clean/val", 2), ("target/val", 1)])
def test_class_folders_are_balanced(world, part, per_class):
    folders = sorted((world / part).iterdir())
    assert tuple(folder.name for folder in folders) == WNIDS
    assert all(len(list(folder.glob("*.jpg"))) == per_class for folder in folders)


def test_parts_share_no_image(world):
    images = [
        path.read_bytes() for part in ("loose", "clean", "target", "coco") for path in (world / part).rglob("*.jpg")
    ]
    assert len(set(images)) == len(images)


@pytest.mark.parametrize("split", ["train", "val"])
def test_coco_masks_boxes_and_areas_agree(world, split):
    coco = COCO(world / f"coco/annotations/instances_{split}.json")
    assert len(coco.imgs) == getattr(SIZE, f"scenes_{split}") and len(coco.cats) == len(WNIDS)
    for annotation in coco.anns.values():
        image = coco.imgs[annotation["image_id"]]
        assert (world / "coco" / split / image["file_name"]).is_file()
        x, y, width, height = annotation["bbox"]
        assert x >= 0 and y >= 0 and x + width <= image["width"] and y + height <= image["height"]
        mask = coco.annToMask(annotation)
        assert abs(int(mask.sum()) - annotation["area"]) < 0.25 * annotation["area"] + 8  # rims of a pixel's half
        rows, columns = np.nonzero(mask)
        assert (
            rows.min() >= y - 1 and rows.max() <= y + height and columns.min() >= x - 1 and columns.max() <= x + width
        )


def test_keypoints_belong_to_the_dancers_of_the_instances(world):
    people = COCO(world / "coco/annotations/person_keypoints_train.json")
    instances = COCO(world / "coco/annotations/instances_train.json")
    [category] = people.cats.values()
    assert category["name"] == "dancer" and category["supercategory"] == "person"
    names = category["keypoints"]
    assert len(names) == 14 and np.unique(category["skeleton"]).tolist() == list(range(1, 15))
    assert {name.replace("left", "right") for name in names} <= set(names)
    assert set(people.anns) == set(instances.getAnnIds(catIds=category["id"]))
    assert set(people.imgs) == set(instances.imgs)
    for annotation in people.anns.values():
        keypoints = np.reshape(annotation["keypoints"], (14, 3))
        assert annotation["num_keypoints"] == np.count_nonzero(keypoints[:, 2])
    assert "keypoints" not in next(iter(instances.anns.values()))


def test_any_number_of_processes_gives_the_same_files(world, tmp_path):
    write_world(tmp_path / "again", SIZE, seed=3, workers=2)
    names = sorted(path.relative_to(world) for path in world.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*.*"))
    assert all((world / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in names)


def test_a_finished_world_is_kept_and_another_one_refused(world, tmp_path):
    before = (world / "world.json").stat().st_mtime_ns
    assert not write_world(world, SIZE, seed=3, workers=1)
    with pytest.raises(WorldError, match="a world of another seed"):
        write_world(world, SIZE, seed=4, workers=1)
    with pytest.raises(WorldError, match="a world of another size"):
        write_world(world, replace(SIZE, posts_val=9), seed=3, workers=1)
    with pytest.raises(WorldError, match="holds no world"):
        write_world(tmp_path, SIZE, seed=3, workers=1)
    assert (world / "world.json").stat().st_mtime_ns == before
    assert json.loads((world / "world.json").read_text())["seed"] == 3


def test_a_failed_world_leaves_nothing(tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError("disk full")

    monkeypatch.setattr("igdet.world.build.write_loose", full_disk)
    with pytest.raises(OSError, match="disk full"):
        write_world(tmp_path / "world", SIZE, seed=3, workers=1)
    assert list(tmp_path.iterdir()) == []
