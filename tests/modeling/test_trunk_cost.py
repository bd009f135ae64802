"""What a trunk costs, counted without computing, against fvcore's count of a pass that was computed."""

import pytest
import torch
from detectron2.config import get_cfg
from detectron2.modeling import build_model
from detectron2.utils.analysis import FlopCountAnalysis
from torch.utils.flop_counter import FlopCounterMode

from igdet.config import add_igdet_config
from igdet.modeling.costs import trunk_cost


def config(name, detector=False):
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.MODEL.DEVICE, cfg.MODEL.BACKBONE.FREEZE_AT = "cpu", 0
    cfg.MODEL.BACKBONE.NAME = name + "_FPN" * detector
    cfg.MODEL.META_ARCHITECTURE = "RetinaNet" if detector else "ImageClassifier"
    cfg.MODEL.FPN.IN_FEATURES = ["res3", "res4", "res5"]
    cfg.MODEL.RESNETS.OUT_FEATURES = cfg.MODEL.FPN.IN_FEATURES if detector else ["res5"]
    cfg.MODEL.ANCHOR_GENERATOR.SIZES = [[32], [64], [128], [256], [512]]
    cfg.INPUT.CLASSIFICATION.TEST_CROP = 64
    cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST = 60, 100
    return cfg


@pytest.mark.parametrize(("detector", "pixels"), [(False, [64, 64]), (True, [64, 128])])
def test_it_is_what_fvcore_counts(detector, pixels):
    cfg = config("X_14_8x4d", detector)
    model = build_model(cfg).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    found = trunk_cost(model, cfg)
    trunk = model.backbone.bottom_up if detector else model.backbone
    counts = FlopCountAnalysis(trunk.eval(), torch.zeros(1, 3, *pixels)).unsupported_ops_warnings(False).by_operator()
    assert found == {
        "parameters": sum(weight.numel() for weight in trunk.parameters()),
        "multiply_adds": counts["conv"],
        "pixels": pixels,
    }
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_deformable_convolutions_are_counted_as_plain_ones():
    cfg = config("X_26_8x4d")
    plain = trunk_cost(build_model(cfg), cfg)
    cfg.MODEL.RESNETS.DEFORM_ON_PER_STAGE = [False, False, False, True]
    # And that of the offsets: 18 for each of the 2 x 2 cells of either block, each from 3 x 3 x 256 numbers.
    assert trunk_cost(build_model(cfg), cfg)["multiply_adds"] == plain["multiply_adds"] + 2 * 4 * 18 * 9 * 256


def test_a_mixture_of_experts_has_no_one_cost():
    cfg = config("X_26_8x4d")
    cfg.MODEL.MOE.EXPERTS = 2
    assert trunk_cost(build_model(cfg), cfg) is None


def test_attention_is_counted_with_the_layers():
    pytest.importorskip("timm")
    cfg = config("timm")
    cfg.MODEL.TIMM.NAME = "test_vit"
    model = build_model(cfg)
    model.train()
    vit = model.backbone.timm
    tokens, width, hidden = 1 + 16, vit.embed_dim, vit.blocks[0].mlp.fc1.out_features  # 4 x 4 patches and the class
    patches = 16 * width * 3 * 16 * 16
    # Of a block: queries, keys, values and their projection; the two layers; attention's products Q K' and A V.
    block = tokens * (4 * width * width + 2 * width * hidden) + 2 * tokens * tokens * width
    assert trunk_cost(model, cfg)["multiply_adds"] == patches + len(vit.blocks) * block
    assert model.backbone.training


def test_a_head_that_pools_by_attention_is_counted():
    timm = pytest.importorskip("timm")
    cfg = config("timm")
    cfg.MODEL.TIMM.NAME = "test_vit3"
    alone = timm.create_model("test_vit3", num_classes=0, img_size=64).eval().requires_grad_(False)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        alone(torch.zeros(1, 3, 64, 64))
    assert trunk_cost(build_model(cfg), cfg)["multiply_adds"] == counter.get_total_flops() // 2


def test_a_compiled_trunk_is_not_compiled_again():
    cfg = config("X_14_8x4d")
    model = build_model(cfg)
    model.backbone._compiled_call_impl = compiled = object()  # calling it would fail
    assert trunk_cost(model, cfg)["pixels"] == [64, 64] and model.backbone._compiled_call_impl is compiled


def test_trunks_of_others_are_not_counted():
    assert trunk_cost(torch.nn.Linear(2, 2), config("R_18")) is None
