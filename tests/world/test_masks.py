"""Label maps of the world's scenes: they agree with the instances, and an older world gets them."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from pycocotools.coco import COCO

from igdet.formats.coco.panoptic import read_panoptic_json
from igdet.formats.label_maps import read_class_ids, read_segment_ids
from igdet.world.build import WORLD_SIZES, write_world
from igdet.world.masks import CLASSES, IGNORED, class_ids
from igdet.world.scene import HIDDEN, Style, draw_image
from igdet.world.taxonomy import NAMES

SIZE = replace(
    WORLD_SIZES["tiny"],
    posts_train=2,
    posts_val=2,
    loose_posts=2,
    clean_train=1,
    clean_val=1,
    target_train=1,
    target_val=1,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp("worlds") / "world"
    write_world(out, SIZE, seed=5, workers=1)
    return out


def test_segments_and_classes_are_those_of_the_instances(world):
    """A pixel's half of a rim apart, polygons cover what the label maps say."""
    folder = world / "coco"
    instances = COCO(folder / "annotations/instances_val.json")
    panoptic = read_panoptic_json(folder / "annotations/panoptic_val.json")
    assert len(panoptic["annotations"]) == SIZE.scenes_val
    for row in panoptic["annotations"]:
        ids = read_class_ids(folder / "semantic_val" / row["file_name"])
        segments = read_segment_ids(folder / "panoptic_val" / row["file_name"])
        things = [instances.anns[number] for number in instances.getAnnIds(imgIds=row["image_id"])]
        for number, thing in enumerate(things, start=1):
            mask, seen = instances.annToMask(thing).astype(bool), segments == number
            assert (mask & seen).sum() > 0.75 * (mask | seen).sum()
            assert (ids[seen] == thing["category_id"]).all()
        areas = {segment["id"]: segment["area"] for segment in row["segments_info"]}
        assert areas == {number: int((segments == number).sum()) for number in areas}
        assert sum(areas.values()) == np.count_nonzero(segments)
        assert ((segments == 0) == (ids == IGNORED)).all()
        assert ((segments == len(things) + 1) == (ids == 0)).all()


def test_the_classes_are_the_background_and_the_things(world):
    assert (world / "coco/semantic_classes.txt").read_text().splitlines() == [*CLASSES]
    assert (CLASSES[0], len(CLASSES)) == ("background", len(NAMES) + 1)


def test_a_thing_that_is_hardly_seen_is_ignored():
    full = Style(side=64, sizes=(1.9, 2.0), clutter=0)  # every thing fills the image: nearer ones hide the first
    for seed in range(5):
        scene = draw_image([NAMES.index("cactus")] + [NAMES.index("ladybug")] * 6, full, np.random.default_rng(seed))
        hidden = scene.segments == HIDDEN
        assert (class_ids(scene)[hidden] == IGNORED).all()
        if hidden.any():
            return
    pytest.fail("no scene has a hidden thing: draw others")


def test_nothing_is_background():
    scene = draw_image([], Style(side=32, sizes=(0.5, 0.6), clutter=2), np.random.default_rng(0))
    assert not class_ids(scene).any()


def test_a_world_without_label_maps_gets_them_and_nothing_else_changes(world, tmp_path):
    older = tmp_path / "world"
    shutil.copytree(world, older)
    for path in (older / "coco").glob("*mantic_*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for split in ("train", "val"):
        shutil.rmtree(older / f"coco/panoptic_{split}")
        (older / f"coco/annotations/panoptic_{split}.json").unlink()
    manifest = json.loads((older / "world.json").read_text())
    assert write_world(older, SIZE, seed=5, workers=1)
    assert not write_world(older, SIZE, seed=5, workers=1)
    assert json.loads((older / "world.json").read_text()) == manifest
    names = sorted(path.relative_to(world) for path in world.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(older) for path in older.rglob("*") if path.is_file())
    assert all((world / name).read_bytes() == (older / name).read_bytes() for name in names)
