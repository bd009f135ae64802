"""From a command line to a checked config: nothing is written before the config is sound."""

import logging

import pytest
import torch

from igdet.config import ConfigError
from igdet.engine import setup_config
from igdet.engine.setup import fit_to_device, plan


def test_schedule_is_resolved_and_data_sets_are_registered(command):
    cfg = setup_config(command("SOLVER.IMS_PER_BATCH", "8"))
    assert (cfg.SOLVER.MAX_ITER, cfg.SOLVER.IMAGES_SEEN) == (3, 0)
    assert cfg.DATASETS.OWN.colours_train.KIND == "image_folder"


def test_a_config_that_cannot_run_leaves_no_trace(command, tmp_path):
    with pytest.raises(ConfigError, match="NUM_CLASSES is 5"):
        setup_config(command("MODEL.CLASSIFIER.NUM_CLASSES", "5"))
    assert not (tmp_path / "run").exists()


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
