"""The levels that detectors without proposals have on any trunk, and heads on maps that are not there."""

import pytest
import torch
from detectron2.config import get_cfg
from detectron2.modeling import build_model
from detectron2.utils.events import EventStorage

from igdet.config import ConfigError, add_igdet_config
from igdet.modeling import check_levels
from igdet.modeling.costs import noise

LOSSES = {
    "RetinaNet": {"loss_cls", "loss_box_reg"},
    "FCOS": {"loss_fcos_cls", "loss_fcos_loc", "loss_fcos_ctr"},
}


def config(architecture, backbone="X_14_8x4d_FPN", *opts):
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.MODEL.DEVICE, cfg.MODEL.META_ARCHITECTURE, cfg.MODEL.BACKBONE.NAME = "cpu", architecture, backbone
    cfg.MODEL.TIMM.NAME, cfg.MODEL.FPN.OUT_CHANNELS = "test_convnext", 64
    cfg.MODEL.RETINANET.NUM_CLASSES = cfg.MODEL.FCOS.NUM_CLASSES = 3
    cfg.MODEL.RESNETS.OUT_FEATURES = cfg.MODEL.FPN.IN_FEATURES = ["res3", "res4", "res5"]
    cfg.MODEL.ANCHOR_GENERATOR.SIZES = [[32], [64], [128], [256], [512]]
    cfg.merge_from_list(list(opts))
    return cfg


@pytest.mark.parametrize("backbone", ["timm_FPN", "X_14_8x4d_FPN"])
@pytest.mark.parametrize("architecture", LOSSES)
def test_a_dense_detector_has_levels_up_to_p7(architecture, backbone):
    if backbone == "timm_FPN":
        pytest.importorskip("timm")
    cfg = config(architecture, backbone)
    check_levels(cfg)
    model = build_model(cfg).train()
    strides = {name: shape.stride for name, shape in model.backbone.output_shape().items()}
    assert strides == {"p3": 8, "p4": 16, "p5": 32, "p6": 64, "p7": 128}
    with EventStorage():
        losses = model([noise("mask_rcnn", (128, 96))])
        sum(losses.values()).backward()
    assert losses.keys() == LOSSES[architecture]
    assert all(weight.grad is not None for weight in model.backbone.parameters() if weight.requires_grad)
    with torch.no_grad():
        assert "instances" in model.eval()([noise("mask_rcnn", (128, 96))])[0]


@pytest.mark.parametrize("architecture", LOSSES)
def test_a_dense_detector_upon_a_plain_network_ends_at_p6(architecture):
    pytest.importorskip("timm")
    levels = ["p3", "p4", "p5", "p6"]
    four = (*FOUR_SIZES, "MODEL.RETINANET.IN_FEATURES", levels, "MODEL.FCOS.IN_FEATURES", levels)
    cfg = config(architecture, "timm_FPN", "MODEL.TIMM.NAME", "test_vit", *four)
    check_levels(cfg)
    with torch.no_grad():
        assert "instances" in build_model(cfg).eval()([noise("mask_rcnn", (128, 96))])[0]


def test_the_levels_on_top_are_made_of_the_trunks_last_map_or_of_the_pyramids():
    retinanet, fcos = (build_model(config(architecture)).backbone.top_block for architecture in ("RetinaNet", "FCOS"))
    assert (retinanet.in_feature, retinanet.p6.in_channels) == ("res5", 512)
    assert (fcos.in_feature, fcos.p6.in_channels) == ("p5", 64)


RPN = ("GeneralizedRCNN", "X_14_8x4d_FPN", "MODEL.RPN.IN_FEATURES", ["p3", "p4", "p5", "p6"])
ROI_HEADS = ("MODEL.ROI_HEADS.IN_FEATURES", ["p3", "p4", "p5"])
ONE_SIZE = ("MODEL.ANCHOR_GENERATOR.SIZES", [[32, 64]])
FOUR_SIZES = ("MODEL.ANCHOR_GENERATOR.SIZES", [[32], [64], [128], [256]])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("RetinaNet", "timm_FPN", "MODEL.TIMM.NAME", "test_vit"), r"RETINANET\.IN_FEATURES is .* and no p7: name"),
        (("FCOS", "timm_FPN", "MODEL.TIMM.NAME", "test_vit"), r"FCOS\.IN_FEATURES .* gives p2, p3, p4, p5, p6 and no"),
        (("GeneralizedRCNN", "timm"), r"RPN\.IN_FEATURES is \['res4'\], but .* timm gives pooled and no res4"),
        (
            ("GeneralizedRCNN", "X_14_8x4d", "MODEL.RPN.IN_FEATURES", ["p2"]),
            r"RPN\.IN_FEATURES is \['p2'\], but .* X_14_8x4d gives res3, res4, res5 and no p2",
        ),
        ((*RPN, *FOUR_SIZES), r"ROI_HEADS\.IN_FEATURES is \['res4'\], but .* gives p3, p4, p5, p6 and no res4"),
        ((*RPN, *ROI_HEADS), r"ANCHOR_GENERATOR\.SIZES has 5 entries, but MODEL\.RPN\.IN_FEATURES names 4 maps"),
        (("RetinaNet", "X_14_8x4d_FPN", *FOUR_SIZES), r"SIZES has 4 entries, but MODEL\.RETINANET\.IN_F.* 5 maps"),
    ],
)
def test_heads_on_maps_that_are_not_there_are_refused(args, message):
    if "timm" in args[1]:
        pytest.importorskip("timm")
    with pytest.raises(ConfigError, match=message):
        check_levels(config(*args))


def test_what_fits_or_is_not_known_passes():
    check_levels(config(*RPN, *ROI_HEADS, *FOUR_SIZES))
    check_levels(config(*RPN, *ROI_HEADS, *ONE_SIZE))
    check_levels(config("GeneralizedRCNN", "X_14_8x4d", *ONE_SIZE))
    check_levels(config("GeneralizedRCNN", "build_resnet_backbone"))
    check_levels(config("ImageClassifier", "X_14_8x4d"))


def test_a_segmentation_head_needs_levels_that_the_pyramid_has():
    """Detectron2's would leave those out in silence that are not there."""
    check_levels(config("SemanticSegmentor", "X_14_8x4d_FPN", "MODEL.SEM_SEG_HEAD.IN_FEATURES", ["p3", "p5"]))
    with pytest.raises(
        ConfigError, match=r"MODEL\.SEM_SEG_HEAD\.IN_FEATURES is .* gives p3, p4, p5, p6 and no p2: name"
    ):
        check_levels(config("SemanticSegmentor"))
