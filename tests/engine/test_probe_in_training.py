"""Probes while a small classifier trains: written with their cost, and without a trace in the training."""

import json

import pytest
import torch

from igdet.config import ConfigError
from igdet.engine import Trainer, setup_config
from igdet.engine.probe import probe
from igdet.engine.probe_in_training import check_probe_in_training, probe_in_training, probe_period
from igdet.engine.setup import setup

QUICK = ("SEED", "3", "PROBE.STRENGTHS", "(1.0, 10.0)", "PROBE.NEIGHBORS", "(1, 3)")
PROBED = (
    *("PROBE.IN_TRAINING.EVERY", "10", "PROBE.IN_TRAINING.TRAIN", "colours_train"),
    *("PROBE.IN_TRAINING.TEST", "colours_val"),
)


def trained(command, *opts):
    trainer = Trainer(setup(command(*QUICK, *opts)))
    trainer.resume_or_load(resume=False)
    trainer.train()
    return trainer


def test_probes_are_written_with_their_cost_and_leave_no_trace(command, tmp_path):
    plain = trained(command, "OUTPUT_DIR", str(tmp_path / "plain"))
    probed = trained(command, "OUTPUT_DIR", str(tmp_path / "probed"), *PROBED)
    for one, other in zip(plain.model.state_dict().values(), probed.model.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    lines = [json.loads(line) for line in (tmp_path / "probed" / "metrics.json").read_text().splitlines()]
    # Every 10 images are every third of the 6 iterations of 4, and the end.
    found = [line for line in lines if "probe/knn/top1" in line]
    assert [line["iteration"] for line in found] == [2, 6]
    assert all(0 <= line[f"probe/{name}/top1"] <= 100 for line in found for name in ("knn", "linear"))
    assert all(line["probe/seconds"] > 0 for line in found)


def test_a_probe_is_that_of_the_command(command):
    cfg = setup_config(command(*QUICK, *PROBED))
    torch.manual_seed(cfg.SEED)
    model = Trainer.build_model(cfg)
    found = probe_in_training(cfg, model)
    assert model.training
    torch.manual_seed(cfg.SEED)
    own = probe(cfg, ["knn", "linear"], {})
    assert {name: found[f"probe/{name}/top1"] for name in own} == {name: row["top1"] for name, row in own.items()}


@pytest.mark.parametrize(("every", "period"), [(0, 0), (1, 1), (4, 1), (10, 3)])
def test_the_period_is_at_least_so_many_images(command, every, period):
    assert probe_period(setup_config(command(*PROBED, "PROBE.IN_TRAINING.EVERY", str(every)))) == period


@pytest.mark.parametrize(
    ("opts", "message"),
    [
        (("TEST", ""), r"PROBE\.IN_TRAINING\.TEST is '': expected a data set with one class an image"),
        (("TRAIN", "colors_train"), r"PROBE\.IN_TRAINING\.TRAIN is 'colors_train': expected a data set"),
        (("TEST", "colours_train"), r"TRAIN and TEST are both colours_train"),
        (("EVERY", "-1"), r"PROBE\.IN_TRAINING\.EVERY"),
        (("PROTOCOLS", "['kshot']"), r"PROBE\.IN_TRAINING\.PROTOCOLS"),
    ],
)
def test_what_cannot_be_probed_is_refused_before_any_work(command, opts, message):
    key, value = opts
    with pytest.raises(ConfigError, match=message):
        setup_config(command(*PROBED, f"PROBE.IN_TRAINING.{key}", value))


def test_a_detector_is_not_probed(command):
    cfg = setup_config(command(*PROBED))
    cfg.MODEL.META_ARCHITECTURE = "GeneralizedRCNN"
    with pytest.raises(ConfigError, match=r"EVERY is 10, but MODEL\.META_ARCHITECTURE is GeneralizedRCNN"):
        check_probe_in_training(cfg)
