"""Grids: trials on other data, the choice, the rerun with it, and selection sets that would give the test set away."""

import json

import pytest
import yaml

from igdet.benchmark.cells import expand
from igdet.benchmark.collect import Study
from igdet.benchmark.progress import Progress
from igdet.benchmark.runner import Runner
from igdet.benchmark.selection import grid_settings, setting_label
from igdet.benchmark.suite_file import read_suite
from igdet.benchmark.tables import selection_table
from igdet.utils.strict_yaml import ConfigError

TARGET = {
    "TITLE": "T",
    "CONFIG": "boxes.yaml",
    "METRICS": {"classification/top1": "A"},
    "GRID": {"SOLVER.BASE_LR": [2, 0.5], "SOLVER.WEIGHT_DECAY": [0.0001]},
    "SELECT_ON": {"TRAIN": "part", "TEST": "rest"},
}


@pytest.fixture
def grid_suite(write_suite):
    return read_suite(write_suite(TARGETS={"t": TARGET}, SEEDS=2))


def test_a_grid_is_every_combination():
    settings = grid_settings({"SOLVER.BASE_LR": [0.1, 0.01], "SOLVER.IMAGES_SEEN": [2e4]})
    assert settings == [
        {"SOLVER.BASE_LR": 0.1, "SOLVER.IMAGES_SEEN": 20000},
        {"SOLVER.BASE_LR": 0.01, "SOLVER.IMAGES_SEEN": 20000},
    ]
    assert setting_label(settings[0]) == "BASE_LR=0.1,IMAGES_SEEN=20000"


def test_trials_use_the_selection_sets_and_are_made_once(grid_suite):
    cells = {cell.name: cell for cell in expand(grid_suite)}
    trials = [name for name in cells if "/select/" in name]
    assert trials == [
        f"seed0/t/select/{start}_BASE_LR={rate},WEIGHT_DECAY=0.0001"
        for start in ("scratch", "hashtag")
        for rate in ("2", "0.5")
    ]
    assert cells[trials[0]].opts["DATASETS.TRAIN"] == "('part',)"
    assert cells[trials[0]].opts["SOLVER.BASE_LR"] == 2
    for seed in (0, 1):
        final = cells[f"seed{seed}/t/hashtag"]
        assert [need.name for need in final.needs] == [f"seed{seed}/pretraining/hashtag", *trials[2:]]
        assert "DATASETS.TRAIN" not in final.opts
        assert final.chosen is None


def test_the_winner_runs_on_all_with_every_seed(grid_suite):
    # The stand-in's top-1 falls with the learning rate: 0.5 wins.
    assert Runner(grid_suite, expand(grid_suite), 0, lambda: None, Progress(), poll=0.05).run()
    study = Study(grid_suite, expand(grid_suite))
    assert study.setting("t", "scratch") == "BASE_LR=0.5,WEIGHT_DECAY=0.0001"
    assert study.values("t", "scratch", "classification/top1") == {0: 29.5, 1: 30.5}
    rows = [[entry.text for entry in row] for row in selection_table(study).rows]
    assert rows[:2] == [
        ["T", "From scratch", "BASE_LR=2,WEIGHT_DECAY=0.0001", "28.0", ""],
        ["T", "From scratch", "BASE_LR=0.5,WEIGHT_DECAY=0.0001", "29.5", "chosen"],
    ]


def test_the_choice_does_not_change_what_a_cell_is(grid_suite, finish):
    before = {cell.name: cell.digest for cell in expand(grid_suite)}
    for cell in expand(grid_suite):
        if cell.setting:
            finish(cell, {"classification": {"top1": cell.setting["SOLVER.BASE_LR"]}})
    final = expand(grid_suite)[-1]
    assert final.opts["SOLVER.BASE_LR"] == 2
    assert {cell.name: cell.digest for cell in expand(grid_suite)} == before


def coco(folder, name, files):
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"images": [{"id": i, "file_name": file} for i, file in enumerate(files)]}))
    return {"KIND": "coco", "ROOT": ".", "ANNOTATIONS": str(path)}


@pytest.mark.parametrize(
    ("select_on", "message"),
    [
        ({"TRAIN": "part", "TEST": "val"}, "val is the test set, val"),
        ({"TRAIN": "part", "TEST": "renamed"}, "renamed is the test set, val"),
        ({"TRAIN": "part", "TEST": "part"}, "part is SELECT_ON.TRAIN, part"),
        ({"TRAIN": "part", "TEST": "mixed"}, "mixed shares 1 pictures, such as v1.jpg, with the test set, val"),
        ({"TRAIN": "part", "TEST": "val_choice"}, "TEST: val_choice is a part of the test set, val"),
        ({"TRAIN": "val_fit", "TEST": "part"}, "TRAIN: val_fit is a part of the test set, val"),
        ({"TRAIN": "train", "TEST": "train_choice"}, "train_choice is a part of SELECT_ON.TRAIN, train"),
        ({"TRAIN": "part"}, "must have the keys TRAIN and TEST, got TRAIN"),
    ],
)
def test_selection_on_the_test_set_is_refused(write_suite, folder, select_on, message):
    path = write_suite(TARGETS={"t": TARGET | {"SELECT_ON": select_on}})
    own = {"val": coco(folder, "val", ["v1.jpg", "v2.jpg"]), "part": coco(folder, "part", ["p1.jpg"])}
    own |= {"renamed": own["val"], "mixed": coco(folder, "mixed", ["p2.jpg", "v1.jpg"])}
    datasets = {"TRAIN": ["train"], "TEST": ["val"], "OWN": own}
    (folder / "boxes.yaml").write_text(yaml.safe_dump({"DATASETS": datasets}))
    with pytest.raises(ConfigError, match=message):
        read_suite(path)
