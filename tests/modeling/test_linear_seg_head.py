"""The linear head of segmentation: one 1x1 convolution on maps put together, and the loss of the pixels that count."""

import pytest
import torch
from detectron2.config import CfgNode, get_cfg
from detectron2.layers import ShapeSpec
from detectron2.modeling import build_model
from torch.nn import functional as F

from igdet.config import ConfigError, add_igdet_config
from igdet.modeling import LinearSegHead

SHAPES = {"res5": ShapeSpec(channels=5, stride=8), "res4": ShapeSpec(channels=3, stride=4)}


def features(height: int, width: int) -> dict[str, torch.Tensor]:
    """Maps of an image of so many pixels, cells rounded up."""
    torch.manual_seed(0)
    return {
        name: 3 + torch.randn(2, shape.channels, -(-height // shape.stride), -(-width // shape.stride))
        for name, shape in SHAPES.items()
    }


def test_it_is_one_convolution_on_all_channels_at_the_finest_resolution():
    head = LinearSegHead(SHAPES, num_classes=4, standardise=False).eval()
    maps = features(16, 24)
    coarse = F.interpolate(maps["res5"], scale_factor=2, mode="bilinear", align_corners=False)
    weight = torch.cat([head.predictors[name].weight for name in ("res4", "res5")], dim=1)
    together = F.conv2d(torch.cat([maps["res4"], coarse], dim=1), weight, head.predictors["res4"].bias)
    torch.testing.assert_close(head.logits(maps), together)
    enlarged = F.interpolate(together, size=(16, 24), mode="bilinear", align_corners=False)
    found, losses = head(maps)
    torch.testing.assert_close(found, enlarged)
    assert losses == {}


def test_a_map_that_reaches_beyond_the_image_keeps_its_place():
    """18 x 21 pixels have 5 x 6 cells of stride 4; cell (0, 0) is where it is in an image of 24 x 24."""
    head = LinearSegHead(SHAPES, num_classes=4, standardise=False)
    maps = features(18, 21)
    found, _ = head.eval()(maps)
    assert found.shape == (2, 4, 20, 24)
    targets = torch.zeros(2, 18, 21, dtype=torch.long)
    _, losses = head.train()(maps, targets)
    assert losses["loss_sem_seg"].item() == pytest.approx(
        F.cross_entropy(found[:, :, :18, :21], targets).item(), rel=1e-5
    )


def test_channels_are_standardised_over_the_batch_and_in_evaluation_by_averages():
    head = LinearSegHead({"res5": SHAPES["res5"]}, num_classes=1)
    with torch.no_grad():
        head.predictors["res5"].weight.fill_(1.0)
    for mean in (0.0, 4.0):
        values = mean + torch.tensor([-1.0, 1.0]).view(1, 1, 1, 2).expand(1, 5, 1, 2)
        torch.testing.assert_close(head.logits({"res5": values}), torch.tensor([[[[-5.0, 5.0]]]]), atol=1e-3, rtol=0)
    assert head.norms["res5"].running_mean.tolist() == pytest.approx([2.0] * 5)
    assert list(dict(head.named_parameters())) == ["predictors.res5.weight", "predictors.res5.bias"]


def test_the_loss_is_the_mean_over_pixels_that_count():
    head = LinearSegHead({"res4": SHAPES["res4"]}, num_classes=3, ignore_value=7, loss_weight=0.5)
    targets = torch.randint(0, 3, (2, 8, 8))
    targets[0] = 7
    targets[1, :4] = 7
    logits = torch.randn(2, 3, 2, 2)
    enlarged = F.interpolate(logits, size=(8, 8), mode="bilinear", align_corners=False)
    expected = F.cross_entropy(enlarged[1:, :, 4:], targets[1:, 4:])
    torch.testing.assert_close(head.loss(logits, targets), expected)
    _, losses = head({"res4": torch.randn(2, 3, 2, 2)}, torch.full((2, 8, 8), 7))
    assert losses["loss_sem_seg"] == 0  # no pixel counts: not NaN
    losses["loss_sem_seg"].backward()


def config(*opts) -> CfgNode:
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.merge_from_list(["MODEL.DEVICE", "cpu", "MODEL.META_ARCHITECTURE", "SemanticSegmentor"])
    cfg.merge_from_list(["MODEL.BACKBONE.NAME", "X_14_8x4d", "MODEL.BACKBONE.FREEZE_AT", 5])
    cfg.merge_from_list(["MODEL.SEM_SEG_HEAD.NAME", "LinearSegHead", "MODEL.SEM_SEG_HEAD.NUM_CLASSES", 3])
    cfg.merge_from_list(["MODEL.SEM_SEG_HEAD.IN_FEATURES", ["res4", "res5"], *opts])
    return cfg


def image(height: int, width: int) -> dict:
    pixels = torch.randint(0, 256, (3, height, width), dtype=torch.uint8)
    return {"image": pixels, "sem_seg": torch.randint(0, 3, (height, width)), "height": 40, "width": 50}


def test_a_plain_trunk_gives_the_maps_that_the_head_names():
    model = build_model(config())
    losses = model([image(33, 50), image(40, 41)])
    losses["loss_sem_seg"].backward()
    trained = [name for name, weight in model.named_parameters() if weight.grad is not None]
    assert trained == [f"sem_seg_head.predictors.{name}" for name in ("res4.weight", "res4.bias", "res5.weight")]
    [output] = model.eval()([image(33, 50)])
    assert output["sem_seg"].shape == (3, 40, 50)


def test_the_last_stage_is_there_even_where_no_head_asks_for_it():
    """A file's trunk is used as a whole."""
    model = build_model(config("MODEL.SEM_SEG_HEAD.IN_FEATURES", ["res3"]))
    assert any(".res5." in name for name in model.state_dict())
    assert list(model.sem_seg_head.predictors) == ["res3"]


def test_a_map_that_the_trunk_has_not_is_named():
    with pytest.raises(
        ConfigError, match=r"MODEL\.SEM_SEG_HEAD\.IN_FEATURES: .* X_14_8x4d has no p2: expected some of"
    ):
        build_model(config("MODEL.SEM_SEG_HEAD.IN_FEATURES", ["p2", "res5"]))


def test_networks_of_timm_give_their_maps():
    pytest.importorskip("timm")
    names = ("MODEL.BACKBONE.NAME", "timm", "MODEL.TIMM.NAME")
    for network, features_, strides in (("test_vit", ["res4"], [16]), ("test_convnext", ["res3", "res5"], [8, 32])):
        model = build_model(config(*names, network, "MODEL.SEM_SEG_HEAD.IN_FEATURES", features_))
        assert list(model.sem_seg_head.strides.values()) == strides
        [output] = model.eval()([image(33, 50)])
        assert output["sem_seg"].shape == (3, 40, 50)
    with pytest.raises(ConfigError, match="timm has no res3: expected some of res4"):
        build_model(config(*names, "test_vit", "MODEL.SEM_SEG_HEAD.IN_FEATURES", ["res3", "res4"]))
