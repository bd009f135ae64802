"""What the benchmark asks of the checker beside the training script, and what it does with the answer."""

import json
import shutil
from dataclasses import replace

import pytest

from igdet.benchmark.cells import expand
from igdet.benchmark.command import run
from igdet.benchmark.process import check_configs
from igdet.benchmark.progress import Progress
from igdet.benchmark.suite_file import read_suite
from igdet.utils.yaml import ConfigError

CHECKER = """
import pathlib, shutil, sys
shutil.copy(sys.argv[1], "asked.json")
if pathlib.Path("answer").is_file():
    print(pathlib.Path("answer").read_text())
    sys.exit(2)
"""
GRID = {
    "TITLE": "Boxes",
    "CONFIG": "boxes.yaml",
    "METRICS": {"bbox/AP": "Box AP"},
    "GRID": {"SOLVER.BASE_LR": [0.1, 0.2]},
    "SELECT_ON": {"TRAIN": "part", "TEST": "rest"},
}


@pytest.fixture
def checked_suite(write_suite, folder):
    """A suite of two seeds, whose training script has a checker beside it that writes down what it is asked."""
    (folder / "check_configs.py").write_text(CHECKER)
    script = shutil.copy(read_suite(write_suite()).train_script, folder / "train.py")
    return read_suite(write_suite(TARGETS={"boxes": GRID}, SEEDS=2, TRAIN_SCRIPT=str(script)))


def asked(folder):
    runs = json.loads((folder / "asked.json").read_text())
    return {run["name"]: dict(zip(run["opts"][::2], run["opts"][1::2], strict=True)) for run in runs}


def test_every_trial_and_every_seed_is_checked(checked_suite, folder):
    check_configs(checked_suite, expand(checked_suite))
    runs = asked(folder)
    assert list(runs) == [
        "seed0/pretraining/hashtag",
        "seed0/boxes/select/scratch_BASE_LR=0.1",
        "seed0/boxes/select/scratch_BASE_LR=0.2",
        "seed0/boxes/select/hashtag_BASE_LR=0.1",
        "seed0/boxes/select/hashtag_BASE_LR=0.2",
        "seed0/boxes/scratch",
        "seed0/boxes/hashtag",
        "seed1/pretraining/hashtag",
        "seed1/boxes/scratch",
        "seed1/boxes/hashtag",
    ]
    assert runs["seed0/boxes/select/scratch_BASE_LR=0.1"]["DATASETS.TRAIN"] == "('part',)"
    assert runs["seed0/boxes/hashtag"]["MODEL.WEIGHTS"] == ""  # the pretraining has not made them yet
    assert not any(opts["OUTPUT_DIR"].startswith("out") for opts in runs.values())


@pytest.mark.parametrize(("gpus", "processes"), [(0, 1), (8, 8)])
def test_a_cell_is_checked_for_as_many_processes_as_it_has_gpus(checked_suite, folder, gpus, processes):
    check_configs(replace(checked_suite, gpus=gpus), expand(checked_suite))
    assert {run["processes"] for run in json.loads((folder / "asked.json").read_text())} == {processes}


def test_what_is_finished_is_not_checked(checked_suite, folder, finish):
    for cell in expand(checked_suite):
        finish(cell, {"bbox": {"AP": 30}})
    assert run(checked_suite, Progress())
    assert not (folder / "asked.json").exists()


def test_a_problem_stops_the_suite_before_its_first_cell(checked_suite, folder):
    (folder / "answer").write_text("seed0/boxes/scratch: there is no data set 'part'")
    with pytest.raises(ConfigError, match="nothing is started:\nseed0/boxes/scratch: there is no data set 'part'"):
        run(checked_suite, Progress())
    assert not (folder / "out/seed0").exists()


def test_a_script_without_a_checker_beside_it_is_not_checked(suite):
    check_configs(suite, expand(suite))
