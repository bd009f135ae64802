"""The trunk's learning rate, weight by weight."""

from copy import deepcopy

import pytest
import torch
from detectron2.config import get_cfg
from detectron2.modeling import build_backbone
from torch import nn

from igdet.config import ConfigError, add_igdet_config
from igdet.engine.optimizer import build_optimizer, continued_state, parameter_names


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


class Backboned(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.backbone, self.head = backbone, nn.Linear(4, 2)


@pytest.mark.parametrize("name", ["test_vit", "test_convnext", "test_resnet"])
def test_layers_learn_and_decay_as_timms_own_groups_do(name):
    timm, theirs_of = pytest.importorskip("timm"), pytest.importorskip("timm.optim").param_groups_layer_decay
    cfg = config(1.0)
    cfg.MODEL.BACKBONE.FREEZE_AT, cfg.MODEL.BACKBONE.NAME, cfg.MODEL.TIMM.NAME = 0, "timm", name
    cfg.SOLVER.OPTIMIZER, cfg.SOLVER.LAYER_DECAY, cfg.SOLVER.WEIGHT_DECAY = "AdamW", 0.7, 0.05
    cfg.SOLVER.WEIGHT_DECAY_NORM = cfg.SOLVER.WEIGHT_DECAY_BIAS = 0.0
    model = Backboned(build_backbone(cfg))
    found = rates(model, build_optimizer(cfg, model))
    own = timm.create_model(name, num_classes=3)  # its classifier is the layer above, as ours is
    groups = theirs_of(own, 0.05, getattr(own, "no_weight_decay", set)(), layer_decay=0.7)
    theirs = {id(w): (group["lr_scale"], group["weight_decay"]) for group in groups for w in group["params"]}
    heads = timm.get_pretrained_cfg(name).classifier
    for key, weight in own.named_parameters():
        if not key.startswith(heads):
            scale, decay = theirs[id(weight)]
            assert found[f"backbone.timm.{key}"] == (pytest.approx(0.5 * scale), decay), key


def test_adamw_is_pytorchs_with_the_configs_numbers():
    cfg = config(1.0)
    cfg.SOLVER.OPTIMIZER, cfg.SOLVER.ADAM_BETAS, cfg.SOLVER.WEIGHT_DECAY = "AdamW", (0.8, 0.99), 0.05
    optimizer = build_optimizer(cfg, Detector(True))
    assert isinstance(optimizer, torch.optim.AdamW)
    assert all(group["betas"] == (0.8, 0.99) for group in optimizer.param_groups)
    assert {group["weight_decay"] for group in optimizer.param_groups} == {0.05, 0.25}  # 0.25: of the normalisation


def test_layers_of_a_backbone_that_is_not_known_are_refused():
    cfg = config(1.0)
    cfg.SOLVER.LAYER_DECAY = 0.7
    with pytest.raises(ConfigError, match=r"SOLVER\.LAYER_DECAY is 0\.7, but igdet knows no layers"):
        build_optimizer(cfg, Detector(True))


def test_adamw_continues_from_its_state_bit_for_bit():
    cfg = config(0.5)
    cfg.SOLVER.OPTIMIZER = "AdamW"
    model, again = Detector(True), Detector(True)
    optimizer = build_optimizer(cfg, model)

    def step(model, optimizer):
        optimizer.zero_grad()
        sum(weight.square().sum() for weight in model.parameters()).backward()
        optimizer.step()

    step(model, optimizer)
    again.load_state_dict(model.state_dict())
    continued = build_optimizer(cfg, again)
    names = parameter_names(optimizer, model)
    continued.load_state_dict(continued_state(deepcopy(optimizer.state_dict()), names, continued, again))
    for each in ((model, optimizer), (again, continued)):
        step(*each)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
