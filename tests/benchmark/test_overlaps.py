"""Selection sets that would give the test set away: by name for every command, by images for `run`."""

import json

import pytest
import yaml

from igdet.benchmark.command import run, status
from igdet.benchmark.progress import Progress
from igdet.benchmark.selection import _shared_images
from igdet.benchmark.suite_file import read_suite
from igdet.formats.coco.reading import CocoJsonError
from igdet.utils.yaml import ConfigError

TARGET = {
    "TITLE": "T",
    "CONFIG": "boxes.yaml",
    "METRICS": {"bbox/AP": "A"},
    "GRID": {"SOLVER.BASE_LR": [2, 0.5]},
    "SELECT_ON": {"TRAIN": "fit", "TEST": "part"},
}


@pytest.fixture
def write(write_suite, folder):
    """Writes a suite whose config names the given test set and own data sets; returns the suite's path."""

    def write(test, own, **target):
        datasets = {"TRAIN": ["train"], "TEST": [test], "OWN": own}
        (folder / "boxes.yaml").write_text(yaml.safe_dump({"DATASETS": datasets}))
        return write_suite(TARGETS={"t": TARGET | target})

    return write


def coco(folder, name, files):
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"images": [{"id": i, "file_name": file} for i, file in enumerate(files)]}))
    return {"KIND": "coco", "ROOT": str(folder), "ANNOTATIONS": str(path)}


@pytest.mark.parametrize(
    ("select_on", "message"),
    [
        ({"TRAIN": "part", "TEST": "val"}, r"TARGETS\.t\.SELECT_ON\.TEST: val is the test set, val"),
        ({"TRAIN": "part", "TEST": "renamed"}, "renamed is the test set, val"),
        ({"TRAIN": "part", "TEST": "part"}, "part is SELECT_ON.TRAIN, part"),
        ({"TRAIN": "part", "TEST": "val_choice"}, "TEST: val_choice is a part of the test set, val"),
        ({"TRAIN": "val_fit", "TEST": "part"}, "TRAIN: val_fit is a part of the test set, val"),
        ({"TRAIN": "train", "TEST": "train_choice"}, "train_choice is a part of SELECT_ON.TRAIN, train"),
        ({"TRAIN": "part"}, "must have the keys TRAIN and TEST, got TRAIN"),
    ],
)
def test_selection_on_the_test_set_is_refused(write, select_on, message):
    own = {name: {"KIND": "coco", "ANNOTATIONS": f"{name}.json"} for name in ("val", "part")}
    path = write("val", own | {"renamed": own["val"]}, SELECT_ON=select_on)
    with pytest.raises(ConfigError, match=message):
        read_suite(path)


@pytest.mark.parametrize("test", [["part"], "('other', 'part')"])
@pytest.mark.parametrize("where", ["OPTS", "OPTS_FOR"])
def test_a_test_set_of_an_override_counts(write, where, test):
    opts = {"DATASETS.TEST": test}
    path = write("val", {}, **{where: opts if where == "OPTS" else {"hashtag": opts}})
    with pytest.raises(ConfigError, match=r"SELECT_ON\.TEST: part is the test set, part"):
        read_suite(path)


def refusal(path):
    """What `run` says of a suite that it refuses before the first cell."""
    with pytest.raises(ConfigError, match="nothing is started") as refused:
        run(read_suite(path), Progress())
    assert not path.with_name("out").joinpath("seed0").exists()
    return str(refused.value)


@pytest.mark.parametrize(
    ("select_on", "message"),
    [
        (
            {"TRAIN": "part", "TEST": "mixed"},
            "TEST: mixed shares 1 images, such as {}/v1.jpg, with the test set, val",
        ),
        (
            {"TRAIN": "mixed", "TEST": "part"},
            "TRAIN: mixed shares 1 images, such as {}/v1.jpg, with the test set, val",
        ),
        ({"TRAIN": "part", "TEST": "again"}, "again shares 1 images, such as {}/p1.jpg, with SELECT_ON.TRAIN, part"),
    ],
)
def test_images_of_the_test_set_stop_a_run_before_its_first_cell(write, folder, select_on, message):
    own = {"val": coco(folder, "val", ["v1.jpg", "v2.jpg"]), "part": coco(folder, "part", ["p1.jpg"])}
    own |= {"mixed": coco(folder, "mixed", ["p2.jpg", "v1.jpg"]), "again": coco(folder, "again", ["p1.jpg", "p3.jpg"])}
    assert message.format(folder) in refusal(write("val", own, SELECT_ON=select_on))


def test_an_override_of_a_data_set_counts(write, folder):
    own = {name: coco(folder, name, [f"{name}.jpg"]) for name in ("val", "fit", "part")}
    opts = {"DATASETS.OWN.part.ANNOTATIONS": str(folder / "val.json")}
    with pytest.raises(ConfigError, match=r"SELECT_ON\.TEST: part is the test set, val"):
        read_suite(write("val", own, OPTS_FOR={"hashtag": opts}))
    own["part"]["CLASSES"] = []  # another data set of the same images
    path = write("val", own, OPTS=opts)
    assert f"part shares 1 images, such as {folder}/val.jpg, with the test set, val" in refusal(path)


def test_files_of_one_name_in_two_folders_are_two_images(folder):
    own = {name: coco(folder, name, ["1.jpg"]) | {"ROOT": str(folder / name)} for name in ("fit", "part")}
    assert not _shared_images("fit", "part", own)
    own["part"]["ROOT"] = str(folder / "else/../fit")
    assert _shared_images("fit", "part", own) == f"shares 1 images, such as {folder}/fit/1.jpg, with"


def test_detectron2s_own_coco_sets_are_looked_into(write, folder, monkeypatch):
    monkeypatch.setenv("DETECTRON2_DATASETS", str(folder))
    (folder / "coco/annotations").mkdir(parents=True)
    coco(folder, "coco/annotations/person_keypoints_val2017", ["v1.jpg"])
    own = {"fit": coco(folder, "fit", ["t1.jpg"]), "part": coco(folder, "part", ["t2.jpg", "coco/val2017/v1.jpg"])}
    message = refusal(write("keypoints_coco_2017_val", own))
    assert (
        f"part shares 1 images, such as {folder}/coco/val2017/v1.jpg, with the test set, keypoints_coco_2017_val"
        in message
    )


def test_lvis_sets_are_of_cocos_images(write, folder, monkeypatch):
    monkeypatch.setenv("DETECTRON2_DATASETS", str(folder))
    (folder / "lvis").mkdir()
    lvis = {"images": [{"id": 1, "coco_url": "http://images.cocodataset.org/val2017/v1.jpg"}]}
    (folder / "lvis/lvis_v1_val.json").write_text(json.dumps(lvis))
    (folder / "part.json").write_text(json.dumps(lvis))
    lvis_part = {"KIND": "lvis", "ROOT": str(folder / "coco"), "ANNOTATIONS": str(folder / "part.json")}
    own = {"fit": coco(folder, "fit", ["v1.jpg"]) | {"ROOT": str(folder / "coco/val2017")}, "part": lvis_part}
    message = refusal(write("lvis_v1_val", own))
    for shared in ("TEST: part", "TRAIN: fit"):
        assert f"{shared} shares 1 images, such as {folder}/coco/val2017/v1.jpg, with the test set, lvis" in message


def test_the_state_is_shown_without_opening_annotations(write, folder):
    own = {name: coco(folder, name, ["same.jpg"]) for name in ("fit", "part", "val")}
    for name in own:
        (folder / f"{name}.json").write_text("{")  # would stop whoever reads it
    assert "seed0/t/scratch" in status(read_suite(write("val", own)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", r"val\.json is no JSON"),
        ("[]", r"val\.json is no COCO json: expected a list under the key 'images'"),
        ('{"images": [{"id": 1}]}', "image 1 has neither a file_name nor a coco_url"),
    ],
)
def test_damaged_annotations_are_named(write, folder, text, message):
    own = {name: coco(folder, name, ["1.jpg"]) for name in ("fit", "part", "val")}
    (folder / "val.json").write_text(text)
    with pytest.raises(CocoJsonError, match=message):
        run(read_suite(write("val", own)), Progress())
