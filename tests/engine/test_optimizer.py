"""The trunk's learning rate, weight by weight."""

import pytest
import torch
from detectron2.config import get_cfg
from torch import nn

from igdet.config import add_igdet_config
from igdet.engine.optimizer import build_optimizer


def config(factor):
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.SOLVER.BASE_LR, cfg.SOLVER.BACKBONE_LR_FACTOR, cfg.SOLVER.WEIGHT_DECAY_NORM = 0.5, factor, 0.25
    return cfg


class Detector(nn.Module):
    def __init__(self, pyramid):
        super().__init__()
        trunk = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
        self.backbone = nn.Module() if pyramid else trunk
        if pyramid:
            self.backbone.bottom_up, self.backbone.lateral = trunk, nn.Conv2d(4, 4, 1)
        self.head = nn.Linear(4, 2)


def rates(model, optimizer):
    """Name -> (learning rate, weight decay)."""
    groups = {id(weight): group for group in optimizer.param_groups for weight in group["params"]}
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(groups)
    of_weights = {name: groups[id(weight)] for name, weight in model.named_parameters()}
    return {name: (group["lr"], group["weight_decay"]) for name, group in of_weights.items()}


@pytest.mark.parametrize("pyramid", [True, False])
@pytest.mark.parametrize("wrapped", [True, False])
def test_the_trunk_learns_at_a_rate_of_its_own(pyramid, wrapped):
    model = Detector(pyramid)
    shown = model
    if wrapped:
        shown = nn.Module()
        shown.module = model
    found = rates(model, build_optimizer(config(0.1), shown))
    decay = config(0.1).SOLVER.WEIGHT_DECAY
    for name, (rate, weight_decay) in found.items():
        in_trunk = name.startswith("backbone.bottom_up") or (not pyramid and name.startswith("backbone"))
        assert rate == pytest.approx(0.05 if in_trunk else 0.5), name
        assert weight_decay == (0.25 if name.split(".")[-2] == "1" else decay), name  # "1" is the normalisation


def test_a_factor_of_one_is_detectron2s_optimizer():
    from detectron2.solver import build_optimizer as build_theirs

    model = Detector(True)
    assert rates(model, build_optimizer(config(1.0), model)) == rates(model, build_theirs(config(1.0), model))


def test_frozen_weights_are_left_out():
    model = Detector(True)
    model.backbone.bottom_up.requires_grad_(False)
    groups = build_optimizer(config(0.1), model).param_groups
    held = {id(weight) for group in groups for weight in group["params"]}
    assert held == {id(weight) for weight in model.parameters() if weight.requires_grad}
    assert isinstance(groups[0]["params"][0], torch.Tensor)
