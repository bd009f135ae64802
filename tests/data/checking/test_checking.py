"""Tests of the check of data sets on disk, finding by finding."""

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from igdet.config import merge_config_file, merge_overrides
from igdet.data.checking import Options, check, report, sets_of
from igdet.data.images import jpeg
from igdet.formats.errors import DatasetError
from igdet.formats.label_maps import encode_class_ids
from igdet.formats.shards import ShardWriter
from igdet.formats.targets import SPLITS, TARGETS, Split, TargetTask
from igdet.formats.vocabulary import Vocabulary


def images(save_image, root, *names, start=0):
    for seed, name in enumerate(names, start=start):
        save_image(root / name, seed)


@pytest.fixture
def folder(tmp_path, save_image) -> Path:
    """Two classes, of two training images and one validation image each."""
    root = tmp_path / "set"
    images(save_image, root / "train", "cat/0.jpg", "cat/1.jpg", "dog/0.jpg", "dog/1.png")
    images(save_image, root / "val", "cat/9.jpg", "dog/9.jpg", start=10)
    return root


def findings(what, root="datasets", **options):
    checked = check(sets_of(str(what), str(root)), Options(**options))
    return [(finding.name, finding.what) for one in checked for finding in one.findings]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_sound_folder(folder, processes):
    checked = check(sets_of(str(folder), ""), Options(processes=processes))
    assert report(str(folder), checked) == [
        "train: 4 images, 2 classes",
        "val: 2 images, 2 classes",
        "Nothing is wrong.",
        f"Next: python tools/find_duplicates.py find near --training {folder}/train --evaluation {folder}/val",
    ]


def test_a_single_folder(folder):
    [checked] = check(sets_of(str(folder / "train"), ""), Options())
    assert (checked.named.name, len(checked.records), checked.findings) == ("train", 4, [])


def test_nothing_is_not_said_of_a_folder_of_which_files_were_passed_over(folder):
    (folder / "train/cat/boxes.txt").write_text("")
    checked = check(sets_of(str(folder), ""), Options())
    assert report(str(folder), checked)[:3] == [
        "train: 4 images, 2 classes; beside them, passed over: 1 .txt",
        "val: 2 images, 2 classes",
        "No fault in the images.",
    ]


def test_files_that_may_be_images_are_named_by_suffix(folder):
    (folder / "val/cat/8.heic").write_bytes(b"")
    (folder / "val/dog/8.svg").write_text("<svg/>")
    assert findings(folder) == [
        ("val", "2 files are passed over, which are no images that can be read: 1 .heic, 1 .svg")
    ]


def test_missing_empty_and_cut_images(folder):
    (folder / "train/cat/0.jpg").write_bytes(b"")
    whole = (folder / "train/dog/0.jpg").read_bytes()
    (folder / "train/dog/0.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "train/dog/1.png").unlink()
    (folder / "train/dog/1.png").symlink_to("nowhere.png")
    [(name, what)] = findings(folder)
    assert (name, what[:43]) == ("train", "3 of 4 images are missing or broken: cat/0.")
    assert "cat/0.jpg: is empty" in what
    assert "dog/1.png: does not exist" in what


@pytest.mark.parametrize("decoder", ["the one at hand", "Pillow"])
def test_damage_inside_is_seen_when_decoded(folder, decoder, monkeypatch):
    """The header and the end of a JPEG are whole; only decoding meets the hole."""
    if decoder == "Pillow":
        monkeypatch.setattr(jpeg, "_check", jpeg._check_by_pillow)
    path = folder / "train/cat/0.jpg"
    data = path.read_bytes()
    scan = data.index(b"\xff\xda")
    path.write_bytes(data[: scan + 40] + b"\xff\xd9")
    assert findings(folder) == []
    [(name, what)] = findings(folder, decode=True)
    assert name == "train"
    assert "1 of 4 images are missing or broken: cat/0.jpg" in what


def test_the_same_image_in_two_parts(folder):
    shutil.copy(folder / "train/dog/0.jpg", folder / "val/dog/copy.jpg")
    assert findings(folder) == [("val", "1 images are also in train, byte for byte: dog/copy.jpg = dog/0.jpg")]


def test_a_image_that_is_listed_twice(folder, tmp_path):
    """A copy under another name is no mistake of the list."""
    shutil.copy(folder / "train/dog/0.jpg", folder / "train/dog/copy.jpg")
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    (tmp_path / "list.txt").write_text("dog/0.jpg 1\ncat/0.jpg 0\ndog/copy.jpg 1\ncat/0.jpg 1\n")
    fields = {"KIND": "image_list", "LIST": f"{tmp_path}/list.txt", "CLASSES": f"{tmp_path}/names.txt"}
    own = json.dumps({"listed": {**fields, "ROOT": f"{folder}/train"}})
    (tmp_path / "list.yaml").write_text(f"DATASETS: {{OWN: {own}, TRAIN: [], TEST: [listed]}}")
    assert findings(tmp_path / "list.yaml") == [("listed", "1 images are listed twice: cat/0.jpg")]


def test_a_path_that_is_missing_is_what_is_to_be_put_there(folder, tmp_path):
    own = json.dumps({"mine": {"KIND": "image_folder", "ROOT": f"{folder}/train", "CLASSES": "nowhere.txt"}})
    (tmp_path / "mine.yaml").write_text(f"DATASETS: {{OWN: {own}, TRAIN: [mine], TEST: []}}")
    [checked] = check(sets_of(str(tmp_path / "mine.yaml"), ""), Options())
    [finding] = checked.findings
    assert finding.what.startswith("CLASSES: nowhere.txt does not exist")
    assert finding.fix.startswith("put nowhere.txt there, or name another path as CLASSES of mine. The head of the")


def test_broken_images_are_no_duplicates(folder):
    (folder / "train/cat/0.jpg").write_bytes(b"")
    (folder / "val/cat/9.jpg").write_bytes(b"")
    assert [name for name, what in findings(folder) if "also in" in what] == []


def test_parts_of_different_classes(folder):
    (folder / "val/dog").rename(folder / "val/hound")
    assert findings(folder) == [
        ("val", "its classes are not those of train: 1 differ, the first is class 1: 'hound', there 'dog'")
    ]


def test_a_class_without_images_stops_its_part_alone(folder):
    (folder / "val/cat/9.jpg").unlink()
    [(name, what)] = findings(folder)
    assert name == "val"
    assert "1 class folders in" in what
    assert "['cat']" in what


@pytest.fixture
def target(monkeypatch, folder):
    """A target that expects the folder to be as it is."""
    (folder / "names.txt").write_text("cat\ndog\n")
    splits = {
        split: Split({"KIND": "image_folder", "ROOT": f"set/{split}"}, count)
        for split, count in (("train", 4), ("val", 2))
    }
    known = TargetTask("Pets", 2, splits, "val", "the pet shop", str(folder / "names.txt"))
    monkeypatch.setitem(TARGETS, "petshop", known)
    for split, part in splits.items():
        monkeypatch.setitem(SPLITS, f"petshop_{split}", part)
    return folder.parent


def test_a_target_as_it_should_be(target):
    assert findings("petshop", target) == []
    assert findings("petshop_val", target) == []


def test_counts_and_names_that_are_not_the_targets(target, save_image):
    save_image(target / "set/train/unknown/1.jpg", 50)
    [counts, classes, folders, between] = findings("petshop", target)
    assert counts == ("petshop_train", "5 images are listed, expected 4")
    assert classes == ("petshop_train", "3 classes, expected 2")
    assert folders == ("petshop_train", "1 folders are no class of it: unknown")
    assert between[0] == "petshop_val"


def test_folder_names_are_checked_where_a_class_is_empty(target, save_image):
    (target / "set/val/dog/9.jpg").unlink()
    save_image(target / "set/val/unknown/1.jpg", 50)
    [empty, folders] = findings("petshop_val", target)
    assert "['dog']" in empty[1]
    assert folders == ("petshop_val", "1 folders are no class of it: unknown")


def test_a_part_of_the_classes_may_lack_the_others(target):
    (target / "set/names.txt").write_text("cat\ndog\nmouse\n")
    assert findings("petshop_val", target) == []


def test_a_folder_without_any_class(target):
    for name in ("cat", "dog"):
        shutil.rmtree(target / f"set/val/{name}")
    [nothing, folders] = [what for _, what in findings("petshop_val", target)]
    assert "holds no class folders" in nothing
    assert folders == "2 classes have no folder: cat, dog"


def test_a_missing_class_is_named(target):
    shutil.rmtree(target / "set/val/dog")
    what = [what for name, what in findings("petshop_val", target)]
    assert "1 classes have no folder: dog" in what


def test_a_target_that_is_not_there(tmp_path):
    checked = check(sets_of("cub2011", str(tmp_path)), Options())
    lines = report("cub2011", checked)
    assert (
        lines[1]
        == f"cub2011_train: ROOT: {tmp_path}/CUB_200_2011 does not exist (relative paths count from {Path.cwd()})"
    )
    assert "Caltech, CUB_200_2011.tgz" in lines[2]
    assert lines[-1] == "2 findings. Then check again."


def test_what_is_computed_of_annotations_is_a_finding(tmp_path, coco_content, write_coco):
    coco_content["annotations"][0] |= {"num_keypoints": 3, "area": 0}
    own = json.dumps({"toys": {"KIND": "coco", **write_coco(coco_content)}})
    path = tmp_path / "coco.yaml"
    for keypoints, expected in ((True, ["no area or 0", "num_keypoints that is not"]), (False, ["no area or 0"])):
        path.write_text(f"{{MODEL: {{KEYPOINT_ON: {keypoints}}}, DATASETS: {{OWN: {own}, TRAIN: [], TEST: [toys]}}}}")
        found = [what for _, what in findings(path)]
        assert len(found) == len(expected)
        assert all(part in what for part, what in zip(expected, found, strict=True))


def test_coco(tmp_path, coco_content, write_coco, save_image):
    coco_content["annotations"][0]["bbox"] = [60, 6, 20, 10]  # of an image 50 wide
    coco_content["annotations"][1]["image_id"] = 99
    coco_content["images"][1]["width"] = 60
    fields = write_coco(coco_content)
    (tmp_path / "images/1.jpg").unlink()
    (tmp_path / "coco.yaml").write_text(
        f"DATASETS: {{OWN: {{toys: {json.dumps({'KIND': 'coco', **fields})}}}, TRAIN: [toys], TEST: [toys]}}"
    )
    [annotations, broken] = [what for _, what in findings(tmp_path / "coco.yaml")]
    assert "2 annotations cannot be used: annotation 1 of image 1: its bbox" in annotations
    assert "annotation 2 of image 99: its image is not in the file" in annotations
    assert "2 of 2 images are missing or broken" in broken
    assert "2.jpg: has 50 x 40 pixels, is annotated with 60 x 40" in broken


def test_posts_in_shards(tmp_path, save_image):
    image = save_image(tmp_path / "a.jpg", 0).read_bytes()
    for part, data in (("train", image), ("val", b"")):
        with ShardWriter(tmp_path / part, Vocabulary([("cat",)])) as writer:
            writer.add("p0", image, ["cat"])
            writer.add("p1", data, ["cat"])
    own = ", ".join(
        f"{name}: {{KIND: {kind}, ROOT: {tmp_path}/{part}}}"
        for name, kind, part in (
            ("posts", "hashtag_shards", "train"),
            ("stream", "hashtag_stream", "train"),
            ("val", "hashtag_shards", "val"),
        )
    )
    (tmp_path / "posts.yaml").write_text(f"DATASETS: {{OWN: {{{own}}}, TRAIN: [posts, stream], TEST: [val]}}")
    [stream, broken, shared] = findings(tmp_path / "posts.yaml")
    assert stream == ("stream", "a hashtag_stream has no list of posts: check its folder as hashtag_shards")
    assert broken == ("val", "1 of 2 images are missing or broken: p1: is empty (0 bytes)")
    assert shared == ("val", "1 images are also in posts, byte for byte: p0 = p0")


def test_a_config_names_the_next_command(colour_config):
    lines = report(str(colour_config), check(sets_of(str(colour_config), ""), Options()))
    assert lines[-1] == f"Next: python tools/train_net.py --config-file {colour_config}"


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_every_target_names_a_config_that_uses_it(name, cfg, repository, monkeypatch):
    monkeypatch.chdir(repository)
    command = report(name, [])[-1]
    config, *opts = shlex.split(command.removeprefix("Next: python tools/train_net.py --config-file "))
    merge_config_file(cfg, config)
    merge_overrides(cfg, opts)
    assert {f"{name}_{split}" for split in TARGETS[name].splits} & {*cfg.DATASETS.TRAIN, *cfg.DATASETS.TEST}


def test_what_is_nothing(tmp_path):
    with pytest.raises(DatasetError, match=r"'cub201' is no target, .*did you mean 'cub2011'\?"):
        sets_of("cub201", "datasets")
    (tmp_path / "other.yaml").write_text("DATASETS: {TRAIN: [cub2011_trian], TEST: []}")
    with pytest.raises(DatasetError, match=r"cub2011_trian cannot be checked; did you mean 'cub2011_train'\?"):
        sets_of(str(tmp_path / "other.yaml"), "datasets")


def test_label_maps_are_read_with_their_images(tmp_path, save_image):
    """One of another size, one with an id that is no class, one that is not there."""
    fields = {"KIND": "semantic_folder", "ROOT": str(tmp_path / "images"), "MASKS": str(tmp_path / "masks")}
    for seed, (stem, shape, class_id) in enumerate([("a", (40, 50), 0), ("b", (50, 40), 0), ("c", (40, 50), 2)]):
        save_image(tmp_path / f"images/{stem}.jpg", seed)
        (tmp_path / "masks").mkdir(exist_ok=True)
        (tmp_path / f"masks/{stem}.png").write_bytes(encode_class_ids(np.full(shape, class_id, np.uint8)))
    save_image(tmp_path / "images/d.jpg", 4)
    (tmp_path / "classes.txt").write_text("ground\ntoy\n")
    own = {"toys": {**fields, "CLASSES": str(tmp_path / "classes.txt")}}
    (tmp_path / "toys.yaml").write_text(json.dumps({"DATASETS": {"OWN": own, "TRAIN": ["toys"], "TEST": ["toys"]}}))
    unpaired, (name, broken) = findings(tmp_path / "toys.yaml")
    assert unpaired == ("toys", f"1 annotations cannot be used: {tmp_path}/images/d.jpg: has no label map in MASKS")
    assert name == "toys" and broken.startswith("2 of 3 images are missing or broken: ")
    assert "b.jpg: its label map has 40 x 50 pixels, the image 50 x 40" in broken
    assert "c.png has the id 2 in 100.0% of its pixels: expected a class, 0 to 1, or 255" in broken
