"""Suite files: what is accepted, and that each mistake is named with its key."""

from pathlib import Path

import pytest

from igdet.benchmark.suite_file import read_suite
from igdet.utils.yaml import ConfigError

TARGET = {"TITLE": "T", "CONFIG": "boxes.yaml", "METRICS": {"bbox/AP": "AP"}}


def test_keys_become_fields(write_suite):
    suite = read_suite(write_suite(THREADS=2, SEEDS=3))
    assert (suite.title, suite.threads, suite.seeds, suite.workers) == ("A test", 2, 3, 2)
    assert suite.initializations["hashtag"].config == "pretrain.yaml"
    assert suite.targets["linear"].metrics == {"classification/top1": "Top-1"}


def test_jobs_follow_from_the_cores(write_suite, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(8)))
    assert read_suite(write_suite(JOBS=0, THREADS=3)).workers == 2
    assert read_suite(write_suite(JOBS=0, THREADS=9)).workers == 1


@pytest.mark.parametrize(("visible", "jobs", "workers"), [("0,1", 0, 1), ("0,1,2,3", 5, 2), ("0", 1, 0), ("", 0, 0)])
def test_jobs_follow_from_the_gpus(write_suite, monkeypatch, visible, jobs, workers):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert read_suite(write_suite(JOBS=jobs, GPUS=2)).workers == workers


def test_overrides_replace_keys(write_suite):
    suite = read_suite(write_suite(), ["SEEDS", "5", "OPTS", "{MODEL.DEVICE: cpu}"])
    assert (suite.seeds, suite.opts) == (5, {"MODEL.DEVICE": "cpu"})


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"SEED": 3}, r"unknown key 'SEED'.*; did you mean 'SEEDS'\?"),
        ({"SEEDS": "three"}, "SEEDS must be a whole number, got 'three'"),
        ({"SEEDS": True}, "SEEDS must be a whole number, got True"),
        ({"SEEDS": 0}, "SEEDS must be at least 1, got 0"),
        ({"INITIALIZATIONS": {}}, "INITIALIZATIONS is empty"),
        ({"TARGETS": {}}, "TARGETS is empty"),
        ({"TARGETS": {"pretraining": TARGET}}, "TARGETS: 'pretraining' cannot name a folder"),
        ({"TARGETS": {"a/b": TARGET}}, "TARGETS: 'a/b' cannot name a folder"),
        ({"TARGETS": {"a": {"TITLE": "T", "CONFIG": "boxes.yaml"}}}, r"TARGETS\.a: the key METRICS is missing"),
        ({"TARGETS": {"a": TARGET | {"METRICS": {}}}}, r"TARGETS\.a\.METRICS is empty"),
        ({"TARGETS": {"a": TARGET | {"GRID": {"LR": ["0.1x"]}}}}, r"LR\[0\] must be a number"),
        ({"TARGETS": {"a": TARGET | {"GRID": {"LR": [0.1, 0.1]}}}}, "must name one or more values, each once"),
        ({"TARGETS": {"a": TARGET | {"GRID": {"LR": [0.1]}}}}, "GRID and SELECT_ON belong together"),
        ({"TARGETS": {"a": TARGET | {"CONFIG": "absent.yaml"}}}, r"TARGETS\.a\.CONFIG: there is no file absent.yaml"),
        ({"TARGETS": {"a": TARGET | {"PUBLISHED": "coco_boxes"}}}, "did you mean 'coco_boxes_masks'"),
        ({"TARGETS": {"a": TARGET | {"OPTS_FOR": {"hastag": {}}}}}, r"OPTS_FOR names 'hastag'.*did you mean 'hashtag'"),
        ({"TARGETS": {"a": TARGET | {"OPTS": {"SEED": 1}}}}, r"TARGETS\.a\.OPTS sets SEED"),
        ({"BASELINES": ["clean"]}, "BASELINES names 'clean'"),
        ({"TRAIN_SCRIPT": "absent.py"}, "TRAIN_SCRIPT: there is no file absent.py"),
        ({"INITIALIZATIONS": {"a": {"TITLE": "A", "CONFIG": "boxes.yaml", "WEIGHTS": "w"}}}, "both CONFIG and WEIGHTS"),
        ({"INITIALIZATIONS": {"a": None}}, r"INITIALIZATIONS\.a: expected a mapping of keys, got None"),
    ],
)
def test_mistakes_are_named(write_suite, keys, message):
    with pytest.raises(ConfigError, match=message):
        read_suite(write_suite(**keys))


def test_all_problems_are_told_at_once(write_suite):
    with pytest.raises(ConfigError, match=r"(?s)SEEDS must be.*BASELINES names"):
        read_suite(write_suite(SEEDS=0, BASELINES=["clean"]))


def test_duplicate_key_is_named(folder):
    (folder / "suite.yaml").write_text("TITLE: a\nTITLE: b\n")
    with pytest.raises(ConfigError, match="'TITLE' is written twice"):
        read_suite(folder / "suite.yaml")


def test_empty_file_lacks_its_first_key(folder):
    (folder / "suite.yaml").write_text("")
    with pytest.raises(ConfigError, match="the key TITLE is missing"):
        read_suite(folder / "suite.yaml")


def test_override_without_value(write_suite):
    with pytest.raises(ConfigError, match="'SEEDS' has no value"):
        read_suite(write_suite(), ["SEEDS"])


@pytest.mark.parametrize("name", ["demo", "real_images", "paper_coco", "paper_classification", "rivals"])
def test_shipped_suites_are_sound(repository, monkeypatch, name):
    monkeypatch.chdir(repository)
    suite = read_suite(f"configs/benchmark/{name}.yaml")
    assert suite.baselines


def test_shipped_studies_are_sound(repository, monkeypatch):
    monkeypatch.chdir(repository)
    for path in sorted(path for path in Path("configs").rglob("*.yaml") if "studies" in path.parts):
        suite = read_suite(path)
        assert (suite.axes or len(suite.initializations) > 1) and suite.question and suite.limits, path
