"""Ways to run a network that must not change what it computes."""

import copy

import pytest
import torch
from detectron2.config import get_cfg
from detectron2.layers import NaiveSyncBatchNorm
from detectron2.modeling import build_backbone
from torch import nn

from igdet.config import add_igdet_config
from igdet.modeling import FAMILY, apply_execution, build_resnext
from igdet.modeling.norms import GhostBatchNorm
from igdet.utils.versions import too_old

BOTH = "MODEL.COMPILE with MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS"
NORMS = {"BN": "BN", "ghost": lambda channels: GhostBatchNorm(channels, 1), "naive": NaiveSyncBatchNorm}


def build(norm="BN", freeze_at=0, last="res5"):
    torch.manual_seed(0)
    model = nn.Module()
    model.backbone = build_resnext(FAMILY["X_26_8x4d"], norm=norm, out_features=[last], freeze_at=freeze_at)
    return model


def config(*opts):
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.merge_from_list(["MODEL.CHANNELS_LAST", False, *opts])
    return cfg


def step(model):
    """Two forward and backward passes; the gradients of the second and the state after it."""
    for seed in range(2):
        model.zero_grad()
        images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
        [features] = model.backbone(images.to(next(model.parameters()).dtype)).values()
        features.square().mean().backward()
    return {name: weight.grad for name, weight in model.named_parameters()}, model.state_dict()


def assert_same(model, reference, **tolerances):
    for found, expected in zip(step(model), step(reference), strict=True):
        assert found.keys() == expected.keys()
        for name, tensor in expected.items():
            torch.testing.assert_close(found[name], tensor, **tolerances, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
def test_checkpointing_changes_neither_gradients_nor_running_statistics(norm):
    model = build(norm)
    apply_execution(model, config("MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS", True))
    assert_same(model, build(norm), rtol=0, atol=0)


def test_checkpointing_keeps_fewer_activations():
    kept = {}
    for checkpointing in (False, True):
        model = build()
        apply_execution(model, config("MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS", checkpointing))
        sizes = kept[checkpointing] = []

        def keep(tensor, sizes=sizes):
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            model.backbone(torch.randn(2, 3, 64, 64))
    assert sum(kept[True]) < sum(kept[False]) / 2


def test_checkpointing_goes_with_frozen_stages_evaluation_and_copies():
    model, reference = build(freeze_at=3), build(freeze_at=3)
    apply_execution(model, config("MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS", True))
    assert_same(copy.deepcopy(model), reference, rtol=0, atol=0)
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(model.eval().backbone(images)["res5"], build(freeze_at=3).eval().backbone(images)["res5"])


def test_channels_last_changes_the_layout_alone():
    model = build().double()
    apply_execution(model, config("MODEL.CHANNELS_LAST", True))
    assert model.backbone.stem.conv1.weight.is_contiguous(memory_format=torch.channels_last)
    reference = build().double()
    images = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    found = model.backbone(images)["res5"]
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, reference.backbone(images)["res5"], rtol=0, atol=1e-10)


@pytest.mark.skipif(bool(too_old(BOTH)), reason=too_old(BOTH))
@pytest.mark.parametrize("norm", ["BN", "ghost"])
def test_a_compiled_and_checkpointed_trunk_learns_the_same_under_the_same_names(quick_compiler, norm):
    model = build(NORMS[norm], last="res2").double()
    apply_execution(model, config("MODEL.COMPILE", True, "MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS", True))
    assert_same(model, build(NORMS[norm], last="res2").double(), rtol=0, atol=1e-10)


def test_a_compiled_pyramid_takes_images_of_any_size(quick_compiler):
    opts = ("MODEL.BACKBONE.NAME", "X_14_8x4d_FPN", "MODEL.RESNETS.STRIDE_IN_1X1", False)
    stages = "['res2', 'res3', 'res4', 'res5']"
    cfg = config("MODEL.COMPILE", True, *opts, "MODEL.RESNETS.OUT_FEATURES", stages, "MODEL.FPN.IN_FEATURES", stages)
    model = nn.Module()
    model.backbone = build_backbone(cfg).eval()
    plain = copy.deepcopy(model)
    apply_execution(model, cfg)
    for size in ((64, 96), (96, 64)):
        images = torch.randn(1, 3, *size)
        found, expected = model.backbone(images), plain.backbone(images)
        assert found.keys() == expected.keys()
        for name, features in expected.items():
            torch.testing.assert_close(found[name], features, rtol=1e-4, atol=1e-4)
