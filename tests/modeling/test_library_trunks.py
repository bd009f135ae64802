"""What holds for networks of timm and of torchvision alike: their parts, what is trained, what is refused."""

import pytest
import torch
from detectron2.modeling import build_backbone, build_model
from detectron2.utils.events import EventStorage
from torch import nn

from igdet.config import ConfigError
from igdet.engine.optimizer import build_optimizer
from igdet.modeling import apply_execution, check_backbone
from igdet.modeling.costs import noise
from igdet.modeling.trunk import blocks_in, family_named
from tests.support.library_configs import SIDES, library_config

pytest.importorskip("timm")

SIDE_224 = ("INPUT.CLASSIFICATION.TRAIN_CROP", 224, "INPUT.CLASSIFICATION.TEST_CROP", 224)
OF_224 = ("convformer_s18", "vit_tiny_patch16_224")


def config(library, name, pyramid=False, *opts):
    return library_config(library, name, pyramid, *(SIDE_224 if name in OF_224 else ()), *opts)


def of(library, *names):
    return [(library, name) for name in names]


@pytest.mark.parametrize(
    ("library", "name"),
    [
        *of("timm", "test_resnet", "test_convnext", "test_vit", "convformer_s18"),
        *of("torchvision", "resnet18", "regnet_y_400mf", "convnext_tiny", "alexnet", "vit_b_32"),
    ],
)
def test_parts_are_disjoint_in_order_and_all_there_is(library, name):
    trunk = build_backbone(config(library, name))
    parts = family_named(library).parts(trunk)
    names = {id(weight): at for at, (_, weight) in enumerate(trunk.built.named_parameters())}
    places = [names[id(weight)] for part in parts for weight in part]
    assert len(parts) == 5 and (all(parts) or name == "alexnet")  # which has no maps of strides 16 and 32
    assert sorted(places) == list(range(len(names)))
    assert places == sorted(places) or library == "timm"  # which groups positions and tokens with the stem


@pytest.mark.parametrize(
    ("library", "name"),
    [
        *of("timm", "test_vit3", "test_convnext", "test_resnet", "densenet121"),
        *of("torchvision", "regnet_y_400mf", "swin_t", "vit_b_32"),
    ],
)
def test_activations_computed_again_give_the_same_gradients(library, name):
    trunks = [build_backbone(config(library, name)) for _ in range(2)]
    trunks[1].load_state_dict(trunks[0].state_dict())
    model = nn.Module()
    model.backbone = trunks[1]
    keys = ("MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS", True, "MODEL.CHANNELS_LAST", False)  # the layout changes sums
    apply_execution(model, config(library, name, False, *keys))
    assert all(type(block).__name__.startswith("Checkpointed") for block in blocks_in(model))
    images = torch.randn(2, 3, SIDES[library], SIDES[library])
    for trunk in trunks:
        trunk(images)["pooled"].square().mean().backward()
    for one, other in zip(trunks[0].parameters(), trunks[1].parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.parametrize(
    ("library", "name", "pyramid"),
    [
        *(
            (library, name, pyramid)
            for library, name in of("timm", "vit_tiny_patch16_224", "test_convnext")
            for pyramid in (False, True)
        ),
        ("torchvision", "swin_t", True),
        ("torchvision", "convnext_tiny", True),
        ("torchvision", "convnext_tiny", False),
        ("torchvision", "vit_b_32", True),
    ],
)
def test_every_weight_is_trained(library, name, pyramid):
    cfg = config(library, name, pyramid, "MODEL.MASK_ON", pyramid)
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


CROP_72 = ("INPUT.CLASSIFICATION.TEST_CROP", 72)
OF_TIMM = [
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
]
OF_TORCHVISION = [
    ("", False, (), r"BACKBONE\.NAME torchvision needs MODEL\.TORCHVISION\.NAME"),
    ("resnet81", False, (), r"MODEL\.TORCHVISION\.NAME: .* no network 'resnet81'; did you mean 'resnet18'"),
    ("resnet18.SWAG", False, (), r"MODEL\.TORCHVISION\.NAME: .* no weights 'SWAG' of resnet18: .* IMAGENET1K_V1"),
    ("squeezenet1_0", False, (), r"igdet does not take torchvision's SqueezeNet"),
    ("alexnet", True, (), r"maps of strides 4, 8, 17, 37, none of 16, 32: a feature pyramid needs"),
    ("maxvit_t", True, (), r"takes images of 224 x 224 pixels alone: a detector's differ"),
    ("maxvit_t", False, (), r"TRAIN_CROP is 64, but .* takes images of 224 x 224"),
    ("vit_b_32", False, CROP_72, r"TEST_CROP is 72, but .* patches of 32 pixels: set a mul"),
    ("vgg11", False, ("MODEL.TORCHVISION.DROP_PATH", 0.1), r"DROP_PATH is 0\.1, but vgg11 has no branches"),
]


@pytest.mark.parametrize(
    ("library", "name", "pyramid", "opts", "message"),
    [*(("timm", *case) for case in OF_TIMM), *(("torchvision", *case) for case in OF_TORCHVISION)],
)
def test_what_a_network_cannot_do_is_refused_before_it_is_built(library, name, pyramid, opts, message):
    with pytest.raises(ConfigError, match=message):
        check_backbone(config(library, name, pyramid, *opts))
