"""Deformable bottlenecks: against plain ones and moved images, and Detectron2's own by names."""

import pytest
import torch
from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import get_cfg
from detectron2.layers import ShapeSpec
from detectron2.modeling import BACKBONE_REGISTRY
from detectron2.modeling.backbone.resnet import BottleneckBlock, DeformBottleneckBlock

from igdet.checkpoint.fit import fit_tensors
from igdet.checkpoint.names import to_bare
from igdet.config import ConfigError, add_igdet_config
from igdet.formats.errors import WeightsError
from igdet.modeling import FAMILY, Deformation, build_resnext
from igdet.modeling.deformable import DeformableBottleneck

SHAPE = {"bottleneck_channels": 8, "num_groups": 2, "stride": 2, "norm": "FrozenBN", "stride_in_1x1": False}
ALL = Deformation(("res3", "res4", "res5"))


def blocks(**options):
    """A plain block and a deformable one with the same weights."""
    plain, deformable = BottleneckBlock(16, 32, **SHAPE), DeformableBottleneck(16, 32, **SHAPE, **options)
    deformable.load_state_dict(plain.state_dict(), strict=False)
    return plain.eval(), deformable.eval()


@pytest.mark.parametrize("dilation", [1, 2])
@torch.no_grad()
def test_without_offsets_it_is_a_plain_one(dilation):
    plain, deformable = blocks()
    for block in (plain, deformable):
        block.conv2.dilation = block.conv2.padding = (dilation, dilation)
    features = torch.randn(2, 16, 10, 12)
    torch.testing.assert_close(deformable(features), plain(features))


@torch.no_grad()
def test_an_offset_of_one_cell_sees_the_maps_moved_by_one():
    """y comes before x, of each tap in turn."""
    plain, deformable = blocks()
    deformable.conv2_offset.bias[1::2] = 1.0  # x
    hidden = torch.randn(1, 8, 12, 12)
    moved = torch.roll(hidden, -1, dims=3)
    inside = (..., slice(1, 5), slice(1, 5))  # away from what was rolled around
    torch.testing.assert_close(deformable._deformed(hidden)[inside], plain.conv2(moved)[inside])


@torch.no_grad()
def test_a_modulated_one_begins_with_weights_of_one_half():
    plain, deformable = blocks(modulated=True)
    hidden = torch.randn(1, 8, 6, 6)
    deformable.conv2.norm = plain.conv2.norm = torch.nn.Identity()
    torch.testing.assert_close(deformable._deformed(hidden), plain.conv2(hidden) / 2)


@pytest.mark.parametrize(("modulated", "groups"), [(False, 1), (True, 2)])
def test_its_tensors_are_those_of_detectron2s(modulated, groups):
    own = DeformBottleneckBlock(16, 32, **SHAPE, deform_modulated=modulated, deform_num_groups=groups)
    ours = DeformableBottleneck(16, 32, **SHAPE, modulated=modulated, offset_groups=groups)
    shapes = [{name: tensor.shape for name, tensor in block.state_dict().items()} for block in (own, ours)]
    assert shapes[0] == shapes[1]


def test_offsets_are_learnt_in_lower_precision_too():
    _, deformable = blocks(modulated=True)
    features = torch.randn(2, 16, 10, 12)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = deformable(features)
    output.float().sum().backward()
    assert deformable.conv2_offset.weight.grad.abs().sum() > 0


@pytest.fixture
def cfg():
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.MODEL.RESNETS.OUT_FEATURES = ["res5"]
    cfg.MODEL.RESNETS.DEFORM_ON_PER_STAGE = [False, True, True, True]
    return cfg


def build(name, cfg):
    cfg.MODEL.BACKBONE.NAME = name
    return BACKBONE_REGISTRY.get(name)(cfg, ShapeSpec(channels=3))


def test_a_config_says_which_stages_are_deformable(cfg):
    trunk = build("X_26_8x4d", cfg)
    kinds = {name: {type(block) for block in getattr(trunk, name)} for name in ("res2", "res3", "res5")}
    assert kinds == {"res2": {BottleneckBlock}, "res3": {DeformableBottleneck}, "res5": {DeformableBottleneck}}
    assert trunk(torch.rand(1, 3, 64, 64))["res5"].shape == (1, 512, 2, 2)


def test_what_cannot_be_deformable_is_named(cfg):
    with pytest.raises(ConfigError, match="basic blocks cannot be deformable"):
        build("R_18", cfg)
    cfg.MODEL.RESNETS.DEFORM_ON_PER_STAGE = [True, True]
    with pytest.raises(ConfigError, match=r"DEFORM_ON_PER_STAGE is \[True, True\]: expected True or False for each"):
        build("X_26_8x4d", cfg)


def test_plain_weights_fill_a_deformable_trunk_and_not_the_other_way(cfg, tmp_path):
    plain, deformable = build_resnext(FAMILY["X_14_8x4d"]), build_resnext(FAMILY["X_14_8x4d"], deformation=ALL)
    _, file = to_bare(plain.state_dict())
    fit = fit_tensors(deformable.state_dict(), file)
    assert len(fit.loaded) == len(file)
    assert {name.split(".")[-2] for name in fit.initialised} == {"conv2_offset"}
    with pytest.raises(
        WeightsError, match=r"the file has deformable convolutions\. Set MODEL\.RESNETS\.DEFORM_ON_PER_STAGE"
    ):
        fit_tensors(plain.state_dict(), deformable.state_dict())
    torch.save({"model": plain.state_dict()}, tmp_path / "plain.pth")
    guarded = build("X_14_8x4d", cfg)
    DetectionCheckpointer(guarded).load(str(tmp_path / "plain.pth"))
    assert guarded.res5[0].conv2.weight.equal(plain.res5[0].conv2.weight)
