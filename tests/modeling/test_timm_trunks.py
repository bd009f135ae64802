"""Networks of timm as trunks, against timm's own forward passes."""

import pytest
import torch
from detectron2.config import get_cfg
from detectron2.modeling import build_backbone, build_model
from detectron2.utils.events import EventStorage
from torch import nn

from igdet.checkpoint.names import to_bare
from igdet.config import ConfigError, add_igdet_config
from igdet.engine.optimizer import build_optimizer
from igdet.modeling import FAMILY, apply_execution, build_resnext, check_backbone
from igdet.modeling.costs import noise
from igdet.modeling.simple_pyramid import SimplePyramid
from igdet.modeling.timm_networks import blocks_of, find_network, layer_groups
from igdet.modeling.trunk import blocks_in, family_named

timm = pytest.importorskip("timm")

# A residual network, one with squeeze-and-excitation, one without norms, ConvNeXt, and transformers with class tokens,
# register tokens and relative positions.
HIERARCHICAL = ("test_resnet", "test_byobnet", "test_efficientnet", "test_nfnet", "test_convnext", "test_mambaout")
PLAIN = ("test_vit", "test_vit3", "test_vit_relpos")
SIDE = 160
SIDE_224 = ("INPUT.CLASSIFICATION.TRAIN_CROP", 224, "INPUT.CLASSIFICATION.TEST_CROP", 224)


def config(name, pyramid=False, *opts):
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.MODEL.DEVICE = "cpu"
    cfg.MODEL.BACKBONE.FREEZE_AT = 0
    cfg.MODEL.BACKBONE.NAME = "timm_FPN" if pyramid else "timm"
    cfg.MODEL.META_ARCHITECTURE = "GeneralizedRCNN" if pyramid else "ImageClassifier"
    cfg.MODEL.FPN.IN_FEATURES = ["res2", "res3", "res4", "res5"]
    cfg.MODEL.TIMM.NAME = name
    cfg.INPUT.CLASSIFICATION.TRAIN_CROP = cfg.INPUT.CLASSIFICATION.TEST_CROP = SIDE
    cfg.merge_from_list(list(opts))
    return cfg


def filled(own, trunk):
    """timm's own network with the weights of a trunk."""
    tensors = {name.removeprefix("timm."): tensor for name, tensor in trunk.state_dict().items() if "timm." in name}
    own.load_state_dict(tensors)
    return own.eval()


@pytest.mark.parametrize("name", [*HIERARCHICAL, *PLAIN])
def test_pooled_features_are_those_in_front_of_timms_classifier(name):
    trunk = build_backbone(config(name)).eval()
    own = filled(timm.create_model(name, num_classes=0), trunk)
    images = torch.randn(2, 3, SIDE, SIDE)
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


@pytest.mark.parametrize("name", ["test_resnet", "test_convnext", "test_vit", "convformer_s18"])
def test_parts_are_disjoint_in_order_and_all_there_is(name):
    trunk = build_backbone(config(name, False, *(() if "test" in name else SIDE_224)))
    parts = family_named("timm").parts(trunk)
    assert len(parts) == 5 and all(parts)
    names = {id(weight): at for at, (_, weight) in enumerate(trunk.timm.named_parameters())}
    places = [names[id(weight)] for part in parts for weight in part]
    assert sorted(places) == list(range(len(names)))


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


@pytest.mark.parametrize("name", ["test_vit3", "test_convnext", "test_resnet", "densenet121"])
def test_activations_computed_again_give_the_same_gradients(name):
    trunks = [build_backbone(config(name)) for _ in range(2)]
    trunks[1].load_state_dict(trunks[0].state_dict())
    model = nn.Module()
    model.backbone = trunks[1]
    keys = ("MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS", True, "MODEL.CHANNELS_LAST", False)  # the layout changes sums
    apply_execution(model, config(name, False, *keys))
    assert all(type(block).__name__.startswith("Checkpointed") for block in blocks_in(model))
    images = torch.randn(2, 3, SIDE, SIDE)
    for trunk in trunks:
        trunk(images)["pooled"].square().mean().backward()
    for one, other in zip(trunks[0].parameters(), trunks[1].parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.parametrize("pyramid", [False, True])
@pytest.mark.parametrize("name", ["test_convnext", "vit_tiny_patch16_224"])
def test_every_weight_is_trained(name, pyramid):
    cfg = config(name, pyramid, *(() if "test" in name else SIDE_224), "MODEL.MASK_ON", pyramid)
    cfg.MODEL.ROI_HEADS.IN_FEATURES, cfg.MODEL.RPN.IN_FEATURES = [["p2", "p3", "p4", "p5"]] * 2
    cfg.MODEL.ANCHOR_GENERATOR.SIZES = [[32], [64], [128], [256]]
    cfg.MODEL.ROI_HEADS.NAME, cfg.MODEL.ROI_BOX_HEAD.NAME = "StandardROIHeads", "FastRCNNConvFCHead"
    cfg.MODEL.ROI_BOX_HEAD.NUM_FC = 1
    cfg.MODEL.ROI_MASK_HEAD.NAME = "MaskRCNNConvUpsampleHead"
    model = build_model(cfg).train()
    optimizer = build_optimizer(cfg, model)
    side = cfg.INPUT.CLASSIFICATION.TRAIN_CROP
    sample = noise("mask_rcnn", (128, 96)) if pyramid else noise("classifier", (side, side))
    with EventStorage():
        losses = model([sample])
        sum(loss for key, loss in losses.items() if "loss" in key).backward()
    assert [key for key, weight in model.backbone.named_parameters() if weight.grad is None] == []
    optimizer.step()


@pytest.mark.parametrize(
    ("name", "pyramid", "opts", "message"),
    [
        ("", False, (), r"BACKBONE\.NAME timm needs MODEL\.TIMM\.NAME"),
        ("convnext_tony", False, (), r"MODEL\.TIMM\.NAME: .* no network 'convnext_tony'; did you mean 'convnext_"),
        ("convnext_tiny.fb_in99k", False, (), r"MODEL\.TIMM\.NAME: timm .* cannot build 'convnext_tiny\.fb_in99k'"),
        ("levit_128s", True, (), r"maps of strides 16, 32, 64, none of 4, 8: a feature pyramid needs"),
        ("beit_base_patch16_224", True, (), r"takes images of 224 x 224 pixels alone: a detector's differ"),
        ("beit_base_patch16_224", False, (), r"TRAIN_CROP is 160, but .* takes images of 224 x 224"),
        ("test_resnet", False, ("MODEL.CLASSIFIER.POOLING", "dense"), r"POOLING is dense, but a network of timm pools"),
        ("vgg11", False, ("MODEL.TIMM.DROP_PATH", 0.1), r"DROP_PATH is 0\.1, but vgg11 has no branches"),
        ("test_resnet", False, ("MODEL.MOE.EXPERTS", 4), r"none of igdet's family, which alone has mixtures"),
        ("test_resnet", True, ("MODEL.FPN.IN_FEATURES", ["res1"]), r"MODEL\.FPN\.IN_FEATURES: .* has no res1"),
    ],
)
def test_what_a_network_cannot_do_is_refused_before_it_is_built(name, pyramid, opts, message):
    with pytest.raises(ConfigError, match=message):
        check_backbone(config(name, pyramid, *opts))


def test_groups_of_a_network_without_its_own_follow_its_maps():
    groups = layer_groups(timm.create_model("convformer_s18"))
    assert [group[0].split(".")[:2] for group in groups[1:]] == [["stages", str(stage)] for stage in range(4)]


def test_a_network_is_found_by_name_with_its_card():
    network = find_network("test_vit.r160_in1k")
    assert (network.architecture, network.patch, network.maps, network.size) == ("test_vit", 16, {"res4": 5}, None)
    assert network.card.mean == (0.5, 0.5, 0.5) and network.card.source == "timm/test_vit.r160_in1k"
