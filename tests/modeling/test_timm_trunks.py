"""Networks of timm as trunks, against timm's own forward passes."""

from functools import partial

import pytest
import torch
from detectron2.modeling import build_backbone
from torch import nn

from igdet.checkpoint.names import to_bare
from igdet.modeling import FAMILY, build_resnext
from igdet.modeling.simple_pyramid import SimplePyramid
from igdet.modeling.timm_networks import blocks_of, find_network, layer_groups
from tests.support.library_configs import library_config

timm = pytest.importorskip("timm")

# A residual network, one with squeeze-and-excitation, one without norms, ConvNeXt, and transformers with class tokens,
# register tokens and relative positions.
HIERARCHICAL = ("test_resnet", "test_byobnet", "test_efficientnet", "test_nfnet", "test_convnext", "test_mambaout")
PLAIN = ("test_vit", "test_vit3", "test_vit_relpos")
SIDE_224 = ("INPUT.CLASSIFICATION.TRAIN_CROP", 224, "INPUT.CLASSIFICATION.TEST_CROP", 224)


config = partial(library_config, "timm")


def filled(own, trunk):
    """timm's own network with the weights of a trunk."""
    tensors = {name.removeprefix("timm."): tensor for name, tensor in trunk.state_dict().items() if "timm." in name}
    own.load_state_dict(tensors)
    return own.eval()


@pytest.mark.parametrize("name", [*HIERARCHICAL, *PLAIN])
def test_pooled_features_are_those_in_front_of_timms_classifier(name):
    trunk = build_backbone(config(name)).eval()
    own = filled(timm.create_model(name, num_classes=0), trunk)
    images = torch.randn(2, 3, 160, 160)
    torch.testing.assert_close(trunk(images)["pooled"].flatten(1), own(images))
    assert trunk.output_shape()["pooled"].channels == own(images).shape[1]


@pytest.mark.parametrize("name", HIERARCHICAL)
def test_maps_are_those_of_timms_feature_networks(name):
    pyramid = build_backbone(config(name, True)).eval()
    images = torch.randn(1, 3, 96, 64)
    own = timm.create_model(name, features_only=True, feature_cls="getter", out_indices=(-4, -3, -2, -1))
    own.model.load_state_dict(pyramid.bottom_up.timm.state_dict())
    found, expected = pyramid.bottom_up(images), own.eval()(images)
    assert [*found] == ["res2", "res3", "res4", "res5"]
    for one, other in zip(found.values(), expected, strict=True):
        torch.testing.assert_close(one, other)
    assert {level: tuple(maps.shape[2:]) for level, maps in pyramid(images).items()} == {
        "p2": (24, 16), "p3": (12, 8), "p4": (6, 4), "p5": (3, 2), "p6": (2, 1),
    }  # fmt: skip


@pytest.mark.parametrize(("name", "patch"), [("vit_tiny_patch16_224", 16), ("vit_small_patch14_reg4_dinov2", 14)])
def test_a_plain_network_has_a_simple_pyramid_of_the_same_levels(name, patch):
    pyramid = build_backbone(config(name, True)).eval()
    assert isinstance(pyramid, SimplePyramid)
    images = torch.randn(1, 3, 64, 96)
    sizes = {level: tuple(maps.shape[2:]) for level, maps in pyramid(images).items()}
    assert sizes == {"p2": (16, 24), "p3": (8, 12), "p4": (4, 6), "p5": (2, 3), "p6": (1, 2)}
    assert {level: shape.stride for level, shape in pyramid.output_shape().items()} == {
        "p2": 4, "p3": 8, "p4": 16, "p5": 32, "p6": 64,
    }  # fmt: skip
    own = timm.create_model(name, num_classes=0, dynamic_img_size=True)
    filled(own, pyramid.bottom_up)
    shown = nn.functional.interpolate(images, (4 * patch, 6 * patch), mode="bilinear")
    (expected,) = own.forward_intermediates(shown, indices=1, norm=True, intermediates_only=True)
    torch.testing.assert_close(pyramid.bottom_up(images)["res4"], expected)


def test_resnext_is_the_same_network_from_timm_and_from_igdet():
    trunk = build_backbone(config("resnext50_32x4d", True)).eval().bottom_up
    own = build_resnext(FAMILY["X_50_32x4d"], out_features=["res2", "res3", "res4", "res5"]).eval()
    _, tensors = to_bare(trunk.timm.state_dict())
    own.load_state_dict(tensors)
    images = torch.randn(1, 3, 64, 64)
    for name, maps in own(images).items():
        torch.testing.assert_close(maps, trunk(images)[name], atol=1e-4, rtol=1e-4)


def test_freezing_follows_the_stages_and_keeps_statistics_and_activations():
    whole, frozen = (build_backbone(config("test_efficientnet", True, "MODEL.BACKBONE.FREEZE_AT", at)) for at in (0, 2))
    frozen.load_state_dict(whole.state_dict(), strict=False)
    trained = [name for name, weight in frozen.bottom_up.named_parameters() if weight.requires_grad]
    assert {".".join(name.split(".")[1:3]) for name in trained} == {"blocks.2", "blocks.3", "blocks.4"}
    images = torch.randn(2, 3, 64, 64)
    for level, maps in whole.eval()(images).items():
        torch.testing.assert_close(frozen.eval()(images)[level], maps)
    before = frozen.bottom_up.timm.bn1.running_mean.clone()
    frozen.train()(images)
    assert torch.equal(frozen.bottom_up.timm.bn1.running_mean, before)


def test_norms_are_frozen_or_shared_by_a_key():
    kinds = {}
    for norm in ("", "FrozenBN", "SyncBN"):
        trunk = build_backbone(config("test_resnet", True, "MODEL.TIMM.NORM", norm)).bottom_up
        kinds[norm] = {type(module).__name__ for module in trunk.modules()}
    assert "BatchNorm2d" in kinds[""]
    assert "FrozenBatchNorm2d" in kinds["FrozenBN"] and "BatchNorm2d" not in kinds["FrozenBN"]
    assert "SyncBatchNorm" in kinds["SyncBN"] and "BatchNorm2d" not in kinds["SyncBN"]


@pytest.mark.parametrize(("name", "blocks"), [("vit_tiny_patch16_224", 12), ("convnext_atto", 12), ("resnet18", 8)])
def test_blocks_are_those_of_the_network(name, blocks):
    kinds = [type(block).__name__ for block in blocks_of(timm.create_model(name))]
    assert sum("Block" in kind for kind in kinds) == blocks


def test_groups_of_a_network_without_its_own_follow_its_maps():
    groups = layer_groups(timm.create_model("convformer_s18"))
    assert [group[0].split(".")[:2] for group in groups[1:]] == [["stages", str(stage)] for stage in range(4)]


def test_a_network_is_found_by_name_with_its_card():
    network = find_network("test_vit.r160_in1k")
    assert (network.architecture, network.patch, network.maps, network.size) == ("test_vit", 16, {"res4": 5}, None)
    assert network.card.mean == (0.5, 0.5, 0.5) and network.card.source == "timm/test_vit.r160_in1k"
