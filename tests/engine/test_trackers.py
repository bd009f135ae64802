"""Scalars in trackers, whose clients are stood in for; where the real ones are installed, they are asked too."""

import json
import sys
from types import ModuleType, SimpleNamespace

import pytest
from detectron2.config import CfgNode
from detectron2.utils.events import EventStorage

from igdet.config import ConfigError
from igdet.engine import Trainer, setup_config
from igdet.engine.setup import setup
from igdet.engine.trackers import IDS, TrackerWriter

CONFIG = {"SOLVER": {"BASE_LR": 0.1}, "DATASETS": {"TRAIN": ["posts"]}, "TRACKERS": ["wandb"]}


class Runs:
    """What the clients of both trackers were told."""

    def __init__(self):
        self.told, self.scalars, self.ended = [], [], []

    # Weights & Biases' module.
    def init(self, **told):
        self.told.append(told)
        own = told["id"] or f"run{len(self.told)}"
        return SimpleNamespace(
            id=own,
            log=lambda scalars, step: self.scalars.append((own, step, scalars)),
            finish=lambda: self.ended.append(own),
        )

    # MLflow's client.
    def get_experiment_by_name(self, name):
        return None

    def create_experiment(self, name):
        return f"experiment {name}"

    def create_run(self, experiment, run_name):
        self.told.append({"experiment": experiment, "run_name": run_name})
        return SimpleNamespace(info=SimpleNamespace(run_id=f"run{len(self.told)}"))

    def log_batch(self, run, metrics=(), params=()):
        if params:
            self.told.append({param.key: param.value for param in params})
        if metrics:
            self.scalars.append((run, metrics[0].step, {metric.key: metric.value for metric in metrics}))

    def set_terminated(self, run):
        self.ended.append(run)


@pytest.fixture(params=["wandb", "mlflow"])
def tracker(request, monkeypatch):
    """The name of a tracker, and what its client is told."""
    runs, module, entities = Runs(), ModuleType(request.param), ModuleType("mlflow.entities")
    module.init, module.MlflowClient = runs.init, lambda: runs
    entities.Param = lambda key, value: SimpleNamespace(key=key, value=value)
    entities.Metric = lambda key, value, timestamp, step: SimpleNamespace(key=key, value=value, step=step)
    monkeypatch.setitem(sys.modules, request.param, module)
    monkeypatch.setitem(sys.modules, "mlflow.entities", entities)
    for variable in ("WANDB_PROJECT", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(variable, raising=False)
    return request.param, runs


def writer(name, folder, start_iter=0):
    return TrackerWriter(name, CfgNode({**CONFIG, "OUTPUT_DIR": str(folder)}), start_iter)


def test_scalars_are_sent_once_with_their_iterations(tracker, tmp_path):
    name, runs = tracker
    opened = writer(name, tmp_path)
    with EventStorage() as storage:
        storage.put_scalar("total_loss", 2.0)
        opened.write()
        storage.step()
        storage.put_scalar("probe/knn/top1", 30.0)
        opened.write()
        opened.write()
    opened.close()
    assert runs.scalars == [("run1", 0, {"total_loss": 2.0}), ("run1", 1, {"probe/knn/top1": 30.0})]
    assert runs.ended == ["run1"]


def test_the_tracker_keeps_the_config_under_our_project(tracker, tmp_path):
    name, runs = tracker
    writer(name, tmp_path / "first")
    if name == "wandb":
        (told,) = runs.told
        assert (told["project"], told["name"], told["config"]["SOLVER.BASE_LR"]) == ("igdet", "first", 0.1)
    else:
        run, parameters = runs.told
        assert run == {"experiment": "experiment igdet", "run_name": "first"}
        assert parameters["SOLVER.BASE_LR"] == "0.1" and parameters["DATASETS.TRAIN"] == "['posts']"


def test_a_resumed_run_goes_on_there_and_another_begins_anew(tracker, tmp_path):
    name, runs = tracker
    with EventStorage() as storage:
        storage.put_scalar("total_loss", 2.0)
        writer(name, tmp_path).write()
        storage.step()
        storage.put_scalar("total_loss", 1.0)
        writer(name, tmp_path, start_iter=1).write()
        assert [run for run, _, _ in runs.scalars] == ["run1", "run1"]
        writer(name, tmp_path).write()
    assert runs.scalars[-1][0] != "run1"
    assert json.loads((tmp_path / IDS).read_text()) == {name: runs.scalars[-1][0]}


def test_a_tracker_that_fails_is_left_alone(tracker, tmp_path, caplog):
    name, runs = tracker
    opened = writer(name, tmp_path)
    runs.scalars = None  # appending fails
    with EventStorage() as storage:
        for _ in range(2):
            storage.put_scalar("total_loss", 2.0)
            opened.write()
            storage.step()
    opened.close()
    assert caplog.text.count(f"{name} gets no more scalars of this run: AttributeError") == 1 and runs.ended == []


def test_a_training_sends_its_scalars(tracker, command):
    name, runs = tracker
    sys.modules[name].__spec__ = SimpleNamespace()  # installed, as far as `find_spec` can tell
    trainer = Trainer(setup(command("TRACKERS", f"['{name}']")))
    trainer.resume_or_load(resume=False)
    trainer.train()
    run, iteration, scalars = runs.scalars[-2]
    assert run == "run1" and iteration == 5 and scalars["images_seen"] == 24.0 and "total_loss" in scalars
    assert runs.ended == ["run1"]


@pytest.mark.parametrize(
    ("value", "message"),
    [("['tensorboard']", r"TRACKERS"), ("['wandb']", r'TRACKERS names wandb, .*: pip install "igdet\[wandb\]"')],
)
def test_trackers_that_are_not_there_are_refused_before_any_work(command, monkeypatch, value, message):
    monkeypatch.setattr("igdet.engine.trackers.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=message):
        setup_config(command("TRACKERS", value))
