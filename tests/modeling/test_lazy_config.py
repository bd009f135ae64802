"""Trunks in Detectron2's LazyConfig: what a config of keys builds, in the model zoo's own models."""

import re

import pytest
import torch
from detectron2 import model_zoo
from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import LazyCall as L
from detectron2.config import LazyConfig, get_cfg, instantiate
from detectron2.layers import FrozenBatchNorm2d
from detectron2.modeling import FPN, build_backbone

from igdet.config import ConfigError, add_igdet_config
from igdet.modeling import build_trunk

STAGES = ["res2", "res3", "res4", "res5"]
FROZEN = {"MODEL.RESNETS.NORM": "FrozenBN"}


def zoo_model(bottom_up):
    """Detectron2's Mask R-CNN with FPN and another trunk."""
    model = model_zoo.get_config("common/models/mask_rcnn_fpn.py").model
    model.backbone.bottom_up = bottom_up
    return model


def from_keys(name):
    """The same backbone by Detectron2's usual way."""
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.MODEL.BACKBONE.NAME, cfg.MODEL.RESNETS.NORM = name, "FrozenBN"
    cfg.MODEL.RESNETS.OUT_FEATURES = cfg.MODEL.FPN.IN_FEATURES = STAGES
    return build_backbone(cfg)


def test_a_model_of_the_zoo_on_another_trunk(tmp_path):
    lazy = zoo_model(L(build_trunk)(name="X_101_32x8d", out_features=STAGES, freeze_at=2, keys=FROZEN))
    LazyConfig.save(lazy, str(tmp_path / "lazy.yaml"))
    with torch.device("meta"):
        found = instantiate(LazyConfig.load(str(tmp_path / "lazy.yaml"))).backbone
        expected = from_keys("X_101_32x8d_FPN")
    assert isinstance(found, FPN) and str(found) == str(expected)
    frozen = [{name for name, w in model.named_parameters() if not w.requires_grad} for model in (found, expected)]
    assert frozen[0] == frozen[1] and frozen[0]


@pytest.mark.parametrize("name", ["X_14_8x4d", "X_14_8x4d_FPN"])
def test_it_is_what_keys_build(name):
    found = instantiate(L(build_trunk)(name=name, out_features=STAGES, freeze_at=2, keys=FROZEN))
    expected = from_keys(name)
    assert str(found) == str(expected)
    found.load_state_dict(expected.state_dict())
    images = torch.rand(1, 3, 64, 64)
    for one, other in zip(found(images).values(), expected(images).values(), strict=True):
        assert one.equal(other)


def test_a_network_of_timm():
    pytest.importorskip("timm")
    lazy = L(build_trunk)(name="timm", out_features=["res3", "res4"], keys={"MODEL.TIMM.NAME": "test_convnext"})
    trunk = instantiate(L(FPN)(bottom_up=lazy, in_features="${.bottom_up.out_features}", out_channels=16))
    assert [*trunk(torch.rand(1, 3, 64, 64))] == ["p3", "p4"]


def test_lists_among_the_keys():
    lazy = L(build_trunk)(
        name="X_26_8x4d", out_features=["res5"], keys={"MODEL.MOE.EXPERTS": 2, "MODEL.MOE.STAGES": ["res4"]}
    )
    assert "res4.1.router.scores.weight" in instantiate(lazy).state_dict()


def test_a_classifiers_checkpoint_fills_it(tmp_path):
    trunk = build_trunk("X_14_8x4d", ["res5"])
    torch.save(
        {"model": {f"backbone.{name}": tensor for name, tensor in trunk.state_dict().items()}}, tmp_path / "c.pth"
    )
    model = instantiate(zoo_model(L(build_trunk)(name="X_14_8x4d", out_features=STAGES)))
    DetectionCheckpointer(model).load(f"igdet://file/{tmp_path}/c.pth")
    filled = model.backbone.bottom_up.state_dict()
    assert all(tensor.equal(filled[name]) for name, tensor in trunk.state_dict().items())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "X_101_32x9d"}, "there is no trunk 'X_101_32x9d'; did you mean"),
        ({"out_features": ["res6"]}, r"out_features is \['res6'\]: expected some of stem, res2"),
        ({"out_features": []}, r"out_features is \[\]: expected some of"),
        ({"keys": {"MODEL.RESNETS.DEPTH": 101}}, "RESNETS.DEPTH is 101, but .* X_14_8x4d has 14"),
        (
            {"keys": {"MODEL.RESNETS.NORMS": "BN"}},
            "keys of X_14_8x4d: unknown key .* did you mean 'MODEL.RESNETS.NORM'",
        ),
    ],
)
def test_what_cannot_be_built_is_named(arguments, message):
    with pytest.raises(ConfigError, match=message):
        build_trunk(**({"name": "X_14_8x4d", "out_features": STAGES} | arguments))


def test_the_snippets_of_the_documents(repository):
    text = (repository / "docs/DETECTORS.md").read_text(encoding="utf-8")
    scope = {}
    for snippet in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(snippet.replace("X_101_32x8d", "X_14_8x4d").replace("480, 640", "48, 64"), scope)
    assert {"pred_boxes", "scores", "pred_classes", "pred_masks"} == scope["instances"].get_fields().keys()
    assert scope["detector"].backbone.bottom_up.res5[0].conv2.norm.__class__ is FrozenBatchNorm2d
