"""A small suite around a training script that only pretends."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from igdet.benchmark.cells import Cell, expand
from igdet.benchmark.collect import Study
from igdet.benchmark.suite import Suite
from igdet.benchmark.suite_file import read_suite

FAKE = Path(__file__).with_name("fake_train_net.py")


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write_config(folder) -> Callable[..., None]:
    """Writes a config whose FAKE section says how its trainings end: `write_config(name, TOP1=30, ENDING="fail")`."""

    def write(name: str, **fake) -> None:
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({"FAKE": {"TOP1": 30, **fake}}))

    return write


@pytest.fixture
def write_suite(folder, write_config) -> Callable[..., Path]:
    """Writes suite.yaml: one pretraining and two transfers to each of two targets; given keys replace its own."""

    def write(**keys) -> Path:
        suite = {
            "TITLE": "A test",
            "OUTPUT_DIR": "out",
            "JOBS": 2,
            "BASELINES": ["scratch"],
            "TRAIN_SCRIPT": str(FAKE),
            "INITIALIZATIONS": {
                "scratch": {"TITLE": "From scratch"},
                "hashtag": {"TITLE": "Hashtags", "CONFIG": "pretrain.yaml"},
            },
            "TARGETS": {
                "boxes": {"TITLE": "Boxes", "CONFIG": "boxes.yaml", "METRICS": {"bbox/AP": "Box AP"}},
                "linear": {"TITLE": "Linear", "CONFIG": "linear.yaml", "METRICS": {"classification/top1": "Top-1"}},
            },
        }
        (folder / "suite.yaml").write_text(yaml.safe_dump(suite | keys, sort_keys=False))
        return folder / "suite.yaml"

    for name in ("pretrain", "boxes", "linear"):
        write_config(name)
    return write


@pytest.fixture
def suite(write_suite) -> Suite:
    """That suite, read."""
    return read_suite(write_suite())


@pytest.fixture
def finish() -> Callable[..., None]:
    """Makes a cell finished: `finish(cell, {"classification": {"top1": 30}}, curve=[...], config={...}, **record)`."""

    def finish(cell: Cell, metrics: dict, curve: list[dict] = (), config: dict | None = None, **record) -> None:
        config = config or {"DATASETS": {"TRAIN": ["train"], "TEST": ["val"], "OWN": {}}}
        cell.write_record(state="finished", seconds=90)
        results = {"results": {"val": metrics}, "images_seen": 4000, "peak_memory_mb": 2048, "config": config}
        (cell.folder / "results.json").write_text(
            json.dumps(results | {"device": "cpu", "versions": {"torch": "2"}} | record)
        )
        (cell.folder / "metrics.json").write_text("".join(json.dumps(line) + "\n" for line in curve))

    return finish


@pytest.fixture
def study(write_suite, finish) -> Study:
    """Three seeds: hashtags gain 10, 12, 14 points of linear top-1; their box AP moves by 1, -1, 0."""
    suite = read_suite(write_suite(SEEDS=3))
    gains = {"linear": (10, 12, 14), "boxes": (1, -1, 0), "pretraining": (0, 0, 0)}
    for cell in expand(suite):
        value = 20 + cell.seed + (gains[cell.target][cell.seed] if cell.initialisation == "hashtag" else 0)
        by_threshold = {f"AP@{0.5 + 0.05 * step:.2f}": value - step for step in range(10)}
        boxes = {"AP": value, "AP50": 2 * value, "AP75": value / 2, **by_threshold}
        curve = [{"iteration": 9, "images_seen": 80, "total_loss": 2.0}, {"images_seen": 160, "total_loss": 1.0}]
        finish(cell, {"classification": {"top1": value, "top5": None}, "bbox": boxes}, curve)
    return Study(suite, expand(suite))
