"""From a command line to a checked config: nothing is written before the config is sound."""

import logging

import pytest
import torch
from detectron2.utils import comm

from igdet.config import ConfigError
from igdet.engine import setup_config
from igdet.engine.setup import fit_to_device, plan
from igdet.formats.errors import WeightsError


def test_schedule_is_resolved_and_data_sets_are_registered(command):
    cfg = setup_config(command("SOLVER.IMS_PER_BATCH", "8"))
    assert (cfg.SOLVER.MAX_ITER, cfg.SOLVER.IMAGES_SEEN) == (3, 0)
    assert cfg.DATASETS.OWN.colours_train.KIND == "image_folder"


def test_a_config_that_cannot_run_leaves_no_trace(command, tmp_path):
    with pytest.raises(ConfigError, match="NUM_CLASSES is 5"):
        setup_config(command("MODEL.CLASSIFIER.NUM_CLASSES", "5"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("igdet://ig_resnext101_32x8", "no such published weights; did you mean 'ig_resnext101_32x8d'"),
        ("igdet://ig_resnext101_32x8d", "are of X_101_32x8d, but MODEL.BACKBONE.NAME is X_14_8x4d"),
    ],
)
def test_published_weights_that_cannot_fit_are_refused_by_their_name(command, name, message):
    with pytest.raises(WeightsError, match=message):
        setup_config(command("MODEL.WEIGHTS", name))


def test_without_a_gpu_the_cpu_takes_over_in_full_precision(command, monkeypatch, caplog):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cfg = setup_config(command("MODEL.DEVICE", "cuda", "SOLVER.AMP.ENABLED", "True"))
    with caplog.at_level(logging.WARNING):
        fit_to_device(cfg)
    assert (cfg.MODEL.DEVICE, cfg.SOLVER.AMP.ENABLED) == ("cpu", False)


def test_plan_tells_length_data_and_place(command, tmp_path):
    text = plan(setup_config(command()), eval_only=False)
    assert "24 images: 6 iterations of 4" in text
    assert "colours_train" in text
    assert str(tmp_path / "run") in text
    assert "iterations" not in plan(setup_config(command(eval_only=True)), eval_only=True)


def test_mixed_precision_asked_for_on_the_cpu_is_done(command):
    cfg = setup_config(command("SOLVER.AMP.ENABLED", "True"))
    fit_to_device(cfg)
    assert (cfg.MODEL.DEVICE, cfg.SOLVER.AMP.ENABLED) == ("cpu", True)


def test_bf16_on_a_gpu_without_it_is_refused(command, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla V100")
    cfg = setup_config(command("MODEL.DEVICE", "cuda", "SOLVER.AMP.ENABLED", "True"))
    with pytest.raises(ConfigError, match="DTYPE is bf16, in which Tesla V100 cannot compute: set it to fp16"):
        fit_to_device(cfg)
    cfg.SOLVER.AMP.DTYPE = "fp16"
    fit_to_device(cfg)


@pytest.mark.parametrize(("ranks", "norm"), [(1, "SyncBN"), (2, "naiveSyncBN")])
def test_batch_norm_over_processes_runs_without_gpus(command, monkeypatch, ranks, norm):
    cfg = setup_config(command("MODEL.RESNETS.NORM", "SyncBN"))
    monkeypatch.setattr(comm, "get_world_size", lambda: ranks)
    fit_to_device(cfg)
    assert norm == cfg.MODEL.RESNETS.NORM
