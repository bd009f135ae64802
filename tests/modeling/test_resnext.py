"""The family against the paper's sizes and against torchvision's and timm's networks."""

import logging

import pytest
import timm
import torch
import torchvision
from detectron2.config import get_cfg
from detectron2.layers import FrozenBatchNorm2d, ShapeSpec
from detectron2.modeling import BACKBONE_REGISTRY
from torch import nn
from torch.nn import functional as F
from torchvision.models.resnet import Bottleneck, ResNet

from igdet.checkpoint.names import to_bare
from igdet.config import ConfigError, add_igdet_config
from igdet.modeling import FAMILY, FPN_SUFFIX, Mixture, build_resnext, check_backbone

# Trunk parameters in millions and multiply-adds in thousand millions (with a 1,000-way classifier), 224 x 224:
# computed from the layers' shapes.
SIZES = {
    "X_101_32x4d": (42.13, 7.97),
    "X_101_32x8d": (86.74, 16.41),
    "X_101_32x16d": (191.98, 36.16),
    "X_101_32x32d": (466.48, 87.11),
    "X_101_32x48d": (826.36, 153.31),
}


@pytest.fixture
def cfg():
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.MODEL.RESNETS.STRIDE_IN_1X1 = False
    cfg.MODEL.RESNETS.OUT_FEATURES = ["res2", "res3", "res4", "res5"]
    cfg.MODEL.FPN.IN_FEATURES = ["res2", "res3", "res4", "res5"]
    return cfg


def build(name, cfg):
    cfg.MODEL.BACKBONE.NAME = name
    return BACKBONE_REGISTRY.get(name)(cfg, ShapeSpec(channels=3))


def multiply_adds(model, side):
    """Count those of all convolutions by running the network on the meta device."""
    total = 0

    def count(layer, _inputs, output):
        nonlocal total
        total += layer.weight.numel() * output.shape[-2] * output.shape[-1]

    handles = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, nn.Conv2d)]
    model(torch.empty(1, 3, side, side, device="meta"))
    for handle in handles:
        handle.remove()
    return total


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_parameters_and_multiply_adds(name, size):
    with torch.device("meta"):
        trunk = build_resnext(FAMILY[name])
    parameters, gigas = size
    assert sum(p.numel() for p in trunk.parameters()) / 1e6 == pytest.approx(parameters, abs=0.005)
    classifier = 2048 * 1000
    assert (multiply_adds(trunk, 224) + classifier) / 1e9 == pytest.approx(gigas, rel=0.01)


def test_a_deeper_member_by_hand():
    with torch.device("meta"):
        shallow, deep = (sum(p.numel() for p in build_resnext(FAMILY[f"X_{n}_32x4d"]).parameters()) for n in (101, 200))
    # 20 blocks more in res3 (512 channels outside, 256 inside) and 13 in res4 (1024, 512); 3 norms of two numbers each
    blocks = {(512, 256): 20, (1024, 512): 13}
    more = sum(n * (2 * c * d + d * (d // 32) * 9 + 2 * (2 * d + c)) for (c, d), n in blocks.items())
    assert deep - shallow == more


def randomise_statistics(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)


STANDARD = [name for name, member in FAMILY.items() if (member.stem, member.res2) == (64, 256)]


@pytest.mark.parametrize("name", STANDARD)
def test_every_standard_member_has_torchvisions_weights(name):
    member = FAMILY[name]
    with torch.device("meta"):
        peer = ResNet(Bottleneck, list(member.blocks), groups=member.groups, width_per_group=member.width)
        ours = build_resnext(member).state_dict()
    _, theirs = to_bare(peer.state_dict())
    theirs = {key: value.shape for key, value in theirs.items() if not key.startswith("classifier.")}
    assert {key: value.shape for key, value in ours.items()} == theirs


PEERS = {
    "torchvision 50": ("X_50_32x4d", torchvision.models.resnext50_32x4d),
    "torchvision 101": ("X_101_32x8d", torchvision.models.resnext101_32x8d),
    "timm 50": ("X_50_32x4d", lambda: timm.create_model("resnext50_32x4d")),
    "torchvision R_18": ("R_18", torchvision.models.resnet18),
    "torchvision R_50": ("R_50", torchvision.models.resnet50),
    "timm R_101": ("R_101", lambda: timm.create_model("resnet101")),
    "timm 101": ("X_101_32x8d", lambda: timm.create_model("resnext101_32x8d")),
}


IMAGES = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", params=PEERS.values(), ids=PEERS)
def peer(request):
    """A network of others: its name in the family, its weights, the features and logits it computes."""
    name, build_peer = request.param
    torch.manual_seed(0)
    network, features = build_peer().eval(), {}
    randomise_statistics(network)
    for stage in range(1, 5):
        getattr(network, f"layer{stage}").register_forward_hook(
            lambda _module, _inputs, output, stage=stage: features.update({f"res{stage + 1}": output})
        )
    with torch.no_grad():
        logits = network(IMAGES)
    return name, to_bare(network.state_dict())[1], features, logits


@pytest.mark.parametrize("norm", ["BN", "FrozenBN"])
def test_same_weights_give_the_same_features_and_logits(peer, norm):
    name, weights, features, logits = peer
    with torch.device("meta"):  # no weights are drawn: all of them are given
        ours = build_resnext(FAMILY[name], norm=norm, out_features=["res2", "res3", "res4", "res5"]).eval()
    missing, unexpected = ours.load_state_dict(weights, strict=False, assign=True)
    assert not missing
    assert all(key.startswith("classifier.") or key.endswith("num_batches_tracked") for key in unexpected)
    with torch.no_grad():
        found = ours(IMAGES)
        pooled = found["res5"].mean(dim=(2, 3))  # (2, C, 2, 2) -> (2, C)
        found_logits = F.linear(pooled, weights["classifier.weight"], weights["classifier.bias"])
    for stage, expected in features.items():
        torch.testing.assert_close(found[stage], expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found_logits, logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", FAMILY)
def test_every_member_is_registered_plain_and_with_a_pyramid(name, cfg):
    with torch.device("meta"):
        plain, pyramid = build(name, cfg), build(name + FPN_SUFFIX, cfg)
    assert [plain.output_shape()[f"res{i}"].stride for i in range(2, 6)] == [4, 8, 16, 32]
    assert list(pyramid.output_shape()) == ["p2", "p3", "p4", "p5", "p6"]


@pytest.mark.parametrize("freeze_at", [0, 2, 5])
def test_freezing(freeze_at):
    trunk = build_resnext(FAMILY["X_14_8x4d"], freeze_at=freeze_at)
    frozen = {name.split(".")[0] for name, p in trunk.named_parameters() if not p.requires_grad}
    stages = ["stem", "res2", "res3", "res4", "res5"]
    assert frozen == set(stages[:freeze_at])
    assert all(isinstance(getattr(trunk, stage)[0].conv1.norm, FrozenBatchNorm2d) for stage in stages[1:freeze_at])


@pytest.mark.parametrize(("key", "value"), [("DEPTH", 152), ("WIDTH_PER_GROUP", 16), ("RES5_DILATION", 3)])
def test_keys_that_contradict_the_table_are_named(key, value, cfg):
    cfg.MODEL.RESNETS[key] = value
    with pytest.raises(ValueError, match=f"MODEL.RESNETS.{key} is {value}, but MODEL.BACKBONE.NAME X_101_32x8d has"):
        build("X_101_32x8d", cfg)


def test_a_dilated_res5_keeps_the_resolution_with_weights_of_the_same_shapes():
    torch.manual_seed(0)
    plain, dilated = (build_resnext(FAMILY["X_26_8x4d"], norm="FrozenBN", res5_dilation=d) for d in (1, 2))
    dilated.load_state_dict(plain.state_dict())
    images = torch.rand(1, 3, 64, 64)
    assert dilated.output_shape()["res5"].stride == 16
    with torch.no_grad():
        before, after = (trunk(images)["res5"] for trunk in (plain, dilated))
    assert before.shape[2:] == (2, 2) and after.shape[2:] == (4, 4)
    # The first block sees the same cells with dilation 1 in its stride alone: its 3x3 is plain, as Detectron2's.
    assert dilated.res5[0].conv2.dilation == (2, 2) and dilated.res5[0].conv2.stride == (1, 1)


def test_what_cannot_be_dilated_is_named(cfg):
    cfg.MODEL.RESNETS.RES5_DILATION = 2
    with torch.device("meta"), pytest.raises(ValueError, match=r"MODEL\.BACKBONE\.NAME X_101_32x8d_FPN has 1"):
        build("X_101_32x8d_FPN", cfg)
    with torch.device("meta"), pytest.raises(ValueError, match="basic blocks cannot be dilated"):
        build("R_18", cfg)
    cfg.MODEL.MOE.EXPERTS = 4
    with torch.device("meta"), pytest.raises(ValueError, match=r"mixtures of experts in res5.* cannot be dilated"):
        build("X_101_32x8d", cfg)


def test_detectron2s_default_stride_has_no_effect_and_that_is_said(cfg, caplog):
    cfg.MODEL.RESNETS.STRIDE_IN_1X1 = True
    with torch.device("meta"), caplog.at_level(logging.INFO):
        block = build("X_101_32x8d", cfg).res3[0]
    assert (block.conv1.stride, block.conv2.stride) == ((1, 1), (2, 2))
    assert "X_101_32x8d strides in the 3x3: MODEL.RESNETS.STRIDE_IN_1X1 True, Detectron2's default, has" in caplog.text


def test_keys_that_repeat_the_table_pass(cfg):
    cfg.MODEL.RESNETS.DEPTH, cfg.MODEL.RESNETS.NUM_GROUPS, cfg.MODEL.RESNETS.WIDTH_PER_GROUP = 101, 32, 8
    with torch.device("meta"):
        assert build("X_101_32x8d", cfg) is not None


def test_mixtures_in_a_backbone_of_others_are_refused(cfg):
    cfg.MODEL.BACKBONE.NAME, cfg.MODEL.MOE.EXPERTS = "build_resnet_backbone", 4
    with pytest.raises(ConfigError, match=r"MODEL.MOE.EXPERTS is 4, but .* build_resnet_backbone is none of"):
        check_backbone(cfg)
    cfg.MODEL.MOE.EXPERTS = 0
    check_backbone(cfg)


@pytest.mark.parametrize("name", ["X_101_32x8d", "build_resnet_backbone"])
def test_a_classifier_pools_the_last_feature_map(name, cfg):
    cfg.MODEL.META_ARCHITECTURE, cfg.MODEL.BACKBONE.NAME = "ImageClassifier", name
    cfg.MODEL.RESNETS.OUT_FEATURES = ["res4"]
    with pytest.raises(ConfigError, match=r"OUT_FEATURES is \['res4'\]: expected \[res5\]"):
        check_backbone(cfg)


def test_the_sizes_of_the_plain_networks():
    # parameters in millions with a 1,000-way classifier, as torchvision's own metadata gives them
    published = {
        "R_18": torchvision.models.ResNet18_Weights.IMAGENET1K_V1,
        "R_50": torchvision.models.ResNet50_Weights.IMAGENET1K_V1,
        "R_101": torchvision.models.ResNet101_Weights.IMAGENET1K_V1,
    }
    for name, weights in published.items():
        with torch.device("meta"):
            trunk = build_resnext(FAMILY[name])
        classifier = nn.Linear(trunk.output_shape()["res5"].channels, 1000)
        found = sum(p.numel() for module in (trunk, classifier) for p in module.parameters())
        assert found == weights.meta["num_params"], name


def test_basic_blocks_hold_no_experts():
    with pytest.raises(ConfigError, match="basic blocks cannot be mixtures of experts"):
        build_resnext(FAMILY["R_18"], mixture=Mixture(4))
