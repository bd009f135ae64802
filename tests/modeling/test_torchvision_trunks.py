"""Networks of torchvision as trunks, against torchvision's own forward passes."""

from functools import partial

import pytest
import torch
from detectron2.modeling import build_backbone
from torch import nn
from torchvision import models
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.models.vision_transformer import interpolate_embeddings
from torchvision.ops import StochasticDepth

from igdet.checkpoint.names import to_bare
from igdet.modeling import FAMILY, build_resnext
from igdet.modeling.simple_pyramid import SimplePyramid
from igdet.modeling.torchvision_networks import find_network
from igdet.modeling.trunk import family_named
from tests.support.library_configs import library_config

# Network -> its modules that give maps of strides 4, 8, 16 and 32, by torchvision's names.
MAPS = {
    "resnet18": ("layer1", "layer2", "layer3", "layer4"),
    "regnet_x_400mf": tuple(f"trunk_output.block{stage}" for stage in (1, 2, 3, 4)),
    "regnet_y_400mf": tuple(f"trunk_output.block{stage}" for stage in (1, 2, 3, 4)),
    "efficientnet_b0": ("features.2", "features.3", "features.5", "features.7"),
    "mobilenet_v3_small": ("features.1", "features.3", "features.8", "features.11"),
    "shufflenet_v2_x0_5": ("maxpool", "stage2", "stage3", "stage4"),
    "densenet121": tuple(f"features.denseblock{stage}.cat" for stage in (1, 2, 3, 4)),
    "convnext_tiny": ("features.1", "features.3", "features.5", "features.7"),
    "swin_t": ("features.1", "features.3", "features.5", "features.7"),
}
INNERMOST = ("swin_t",)  # gives (N, H, W, C)
VIT = "vit_b_32"


config = partial(library_config, "torchvision")


def own(name, trunk, **options):
    """torchvision's own network with the weights of a trunk, and a random classifier."""
    network = models.get_model(name, weights=None, **options)
    prefix = "torchvision."
    tensors = {key.removeprefix(prefix): value for key, value in trunk.state_dict().items() if key.startswith(prefix)}
    assert all(key.startswith(find_network(name).heads) for key in network.load_state_dict(tensors, False).missing_keys)
    return network.eval()


@pytest.mark.parametrize("name", [*MAPS, "maxvit_t", VIT])
def test_pooled_features_are_those_in_front_of_the_last_layer(name):
    side = 224 if name in ("maxvit_t", VIT) else 64
    crops = ("INPUT.CLASSIFICATION.TRAIN_CROP", side, "INPUT.CLASSIFICATION.TEST_CROP", side)
    trunk = build_backbone(config(name, False, *crops)).eval()
    network, seen = own(name, trunk), []
    (head,) = find_network(name).heads
    network.get_submodule(head).register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    images = torch.randn(2, 3, side, side)
    with torch.no_grad():
        network(images)
        found = trunk(images)["pooled"].flatten(1)
    torch.testing.assert_close(found, seen[0])
    assert trunk.output_shape()["pooled"].channels == found.shape[1]


@pytest.mark.parametrize("name", MAPS)
def test_maps_are_those_of_torchvisions_feature_extractor(name):
    pyramid = build_backbone(config(name, True)).eval()
    network = models.get_model(name, weights=None)
    network.load_state_dict(pyramid.bottom_up.torchvision.state_dict(), strict=False)
    wanted = dict(zip(MAPS[name], ("res2", "res3", "res4", "res5"), strict=True))
    images = torch.randn(1, 3, 96, 64)
    with torch.no_grad():
        expected = create_feature_extractor(network.eval(), wanted)(images)
        found = pyramid.bottom_up(images)
        levels = {level: tuple(maps.shape[2:]) for level, maps in pyramid(images).items()}
    assert [*found] == ["res2", "res3", "res4", "res5"]
    for key, maps in found.items():
        theirs = expected[key].permute(0, 3, 1, 2) if name in INNERMOST else expected[key]
        torch.testing.assert_close(maps, theirs, atol=1e-4, rtol=1e-4)
        assert maps.shape[1] == pyramid.bottom_up.output_shape()[key].channels
    assert levels == {"p2": (24, 16), "p3": (12, 8), "p4": (6, 4), "p5": (3, 2), "p6": (2, 1)}


def test_resnext_is_the_same_network_from_torchvision_and_from_igdet():
    trunk = build_backbone(config("resnext50_32x4d", True)).eval().bottom_up
    theirs = build_resnext(FAMILY["X_50_32x4d"], out_features=["res2", "res3", "res4", "res5"]).eval()
    theirs.load_state_dict(to_bare(trunk.torchvision.state_dict())[1])
    images = torch.randn(1, 3, 64, 64)
    for name, maps in theirs(images).items():
        torch.testing.assert_close(maps, trunk(images)[name], atol=1e-4, rtol=1e-4)


def test_a_vision_transformer_takes_other_sizes_as_torchvision_resizes_its_positions():
    trunk = build_backbone(config(VIT)).eval()
    state = {key.removeprefix("torchvision."): value for key, value in trunk.state_dict().items()}
    state = {key: value for key, value in state.items() if not key.startswith("torchvision")}
    resized = models.vit_b_32(weights=None, image_size=64)
    resized.load_state_dict(interpolate_embeddings(64, 32, state), strict=False)
    resized.heads = nn.Identity()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(trunk(images)["pooled"].flatten(1), resized.eval()(images), atol=1e-5, rtol=1e-5)


def test_a_vision_transformer_has_a_simple_pyramid_of_its_last_tokens():
    pyramid = build_backbone(config(VIT, True)).eval()
    assert isinstance(pyramid, SimplePyramid)
    images = torch.randn(1, 3, 112, 112)  # a patch of 32 shows 16 pixels: the 7 x 7 positions that it was built for
    network, seen = own(VIT, pyramid.bottom_up), []
    network.encoder.register_forward_hook(lambda _, given, tokens: seen.append(tokens))
    with torch.no_grad():
        network(nn.functional.interpolate(images, (224, 224), mode="bilinear"))
        found = pyramid.bottom_up(images)["res4"]
    torch.testing.assert_close(found.flatten(2).transpose(1, 2), seen[0][:, 1:])
    assert {level: shape.stride for level, shape in pyramid.output_shape().items()} == {
        "p2": 4, "p3": 8, "p4": 16, "p5": 32, "p6": 64,
    }  # fmt: skip


def test_parts_follow_the_stages():
    trunk = build_backbone(config("regnet_y_400mf"))
    names = {id(weight): name for name, weight in trunk.torchvision.named_parameters()}
    parts = family_named("torchvision").parts(trunk)
    assert [{".".join(names[id(weight)].split(".")[:2]) for weight in part} for part in parts] == [
        {"stem.0", "stem.1"}, *({f"trunk_output.block{stage}"} for stage in (1, 2, 3, 4)),
    ]  # fmt: skip


def test_freezing_keeps_weights_and_statistics():
    whole, frozen = (build_backbone(config("resnet18", True, "MODEL.BACKBONE.FREEZE_AT", at)) for at in (0, 2))
    frozen.load_state_dict(whole.state_dict(), strict=False)
    trained = {name.split(".")[1] for name, weight in frozen.bottom_up.named_parameters() if weight.requires_grad}
    assert trained == {"layer2", "layer3", "layer4"}
    images = torch.randn(2, 3, 64, 64)
    for level, maps in whole.eval()(images).items():
        torch.testing.assert_close(frozen.eval()(images)[level], maps)
    before = frozen.bottom_up.torchvision.bn1.running_mean.clone()
    frozen.train()(images)
    assert torch.equal(frozen.bottom_up.torchvision.bn1.running_mean, before)


@pytest.mark.parametrize(
    ("norm", "kind"), [("", "BatchNorm2d"), ("FrozenBN", "FrozenBatchNorm2d"), ("SyncBN", "SyncBatchNorm")]
)
def test_norms_are_frozen_or_shared_by_a_key(norm, kind):
    trunk = build_backbone(config("regnet_x_400mf", True, "MODEL.TORCHVISION.NORM", norm)).bottom_up
    assert {name for module in trunk.modules() if (name := type(module).__name__).endswith(("Norm", "Norm2d"))} == {
        kind
    }


def test_the_largest_rate_of_dropped_branches_is_the_keys():
    rates = {}
    for rate in (0.0, 0.4):
        trunk = build_backbone(config("convnext_tiny", False, "MODEL.TORCHVISION.DROP_PATH", rate))
        rates[rate] = [module.p for module in trunk.modules() if isinstance(module, StochasticDepth)]
    assert set(rates[0.0]) == {0.0}
    assert rates[0.4] == pytest.approx([0.4 * block / 17 for block in range(18)])


def test_layers_are_blocks_and_positions_are_not_decayed():
    trunk = build_backbone(config(VIT))
    family = family_named("torchvision")
    assert len(family.layers(trunk)) == len(family.blocks(trunk)) + 1 == 13
    names = {id(weight): name for name, weight in trunk.torchvision.named_parameters()}
    assert {names[id(weight)] for weight in family.undecayed(trunk)} == {"class_token", "encoder.pos_embedding"}


def test_weights_of_another_number_of_positions_are_another_network():
    swag, usual = find_network("vit_b_16.IMAGENET1K_SWAG_E2E_V1"), find_network("vit_b_16")
    assert swag.options == {"image_size": 384} and usual.options == {"image_size": 224}
    assert (swag.architecture, usual.architecture) == ("vit_b_16.IMAGENET1K_SWAG_E2E_V1", "vit_b_16")
    assert find_network("vit_b_16.IMAGENET1K_SWAG_LINEAR_V1").architecture == "vit_b_16"
    assert swag.card.crop == (384, 384) and "SWAG" in swag.card.licence and swag.card.interpolation == "bicubic"
