"""C4 detectors: the head's res5 is the trunk's, and is filled from the same file."""

import pytest
import torch
from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import get_cfg
from detectron2.modeling import build_model

from igdet.checkpoint import IgdetCheckpointer
from igdet.config import ConfigError, add_igdet_config
from igdet.modeling import FAMILY, build_resnext, check_backbone
from igdet.utils.errors import UserError


@pytest.fixture
def config(repository):
    """Makes the config of a C4 Mask R-CNN."""

    def made(name="X_14_8x4d", *opts):
        cfg = get_cfg()
        add_igdet_config(cfg)
        for file in ("Base-RCNN-FPN.yaml", "Base-RCNN-C4.yaml"):
            cfg.merge_from_file(str(repository / "configs" / file))
        cfg.merge_from_list(["MODEL.DEVICE", "cpu", "MODEL.BACKBONE.NAME", name, "MODEL.MASK_ON", True, *opts])
        return cfg

    return made


@pytest.fixture
def checkpoint(tmp_path):
    """A trunk with statistics of its own, as a classifier's checkpoint has it: the trunk and its file."""
    trunk = build_resnext(FAMILY["X_14_8x4d"])
    for name, tensor in trunk.state_dict().items():
        if name.endswith(("running_mean", "running_var")):
            tensor.uniform_(0.5, 1.5)
    state = {f"backbone.{name}": tensor for name, tensor in trunk.state_dict().items()}
    torch.save({"model": state}, tmp_path / "classifier.pth")
    return trunk.eval(), str(tmp_path / "classifier.pth")


@torch.no_grad()
def is_whole(model, trunk):
    """Whether trunk and head together compute what the whole trunk does."""
    images = torch.rand(2, 3, 64, 64)
    model.eval()
    return model.roi_heads.res5(model.backbone(images)["res4"]).equal(trunk(images)["res5"])


@pytest.mark.parametrize("name", ["X_26_8x4d", "R_18", "R_50"])
def test_res5_is_that_of_the_network(name, config):
    with torch.device("meta"):
        model = build_model(config(name, "MODEL.DEVICE", "meta"))
        trunk = build_resnext(FAMILY[name], norm="FrozenBN")
    shapes = {name: tensor.shape for name, tensor in trunk.res5.state_dict().items()}
    assert {name: tensor.shape for name, tensor in model.roi_heads.res5.state_dict().items()} == shapes
    assert str(model.roi_heads.res5) == str(trunk.res5)  # strides, groups and all
    assert not hasattr(model.backbone, "res5")


def test_a_classifier_fills_trunk_and_head(config, checkpoint):
    trunk, path = checkpoint
    model = build_model(cfg := config())
    assert not is_whole(model, trunk)
    IgdetCheckpointer(model, cfg=cfg).load(path, checkpointables=[])
    assert is_whole(model, trunk)


def test_detectron2s_checkpointer_fills_both_by_name_or_refuses(config, checkpoint):
    trunk, path = checkpoint
    model = build_model(config())
    with pytest.raises(UserError, match=r"tensors would stay as they are.*igdet://file"):
        DetectionCheckpointer(model).load(path)
    DetectionCheckpointer(model).load(f"igdet://file/{path}")
    assert is_whole(model, trunk)


def test_the_res5_that_detectron2_would_build_is_refused(config):
    with pytest.raises(ConfigError, match=r"Res5ROIHeads, whose res5 is not that of .* X_14_8x4d: set"):
        check_backbone(config("X_14_8x4d", "MODEL.ROI_HEADS.NAME", "Res5ROIHeads"))


def test_another_trunk_has_no_such_head(config):
    with pytest.raises(ConfigError, match=r"needs a ResNet or ResNeXt, .*: build_resnet_backbone is none"):
        build_model(config("build_resnet_backbone"))
