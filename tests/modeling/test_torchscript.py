"""Detectors on igdet's trunks as TorchScript: traced by Detectron2's adapter, or scripted; the same detections."""

import pytest
import torch
from detectron2.config import get_cfg
from detectron2.export import TracingAdapter, scripting_with_instances
from detectron2.modeling import build_backbone, build_model
from detectron2.structures import Boxes
from torch import Tensor, nn
from torch.nn import functional as F

from igdet.config import add_igdet_config, merge_config_file
from igdet.modeling import FAMILY, Mixture, build_resnext, build_trunk

PLAIN = ("MODEL.BACKBONE.NAME", "X_14_8x4d")
TIMM = ("MODEL.BACKBONE.NAME", "timm_FPN", "MODEL.TIMM.NAME")
MASKS, KEYPOINTS = ("MODEL.MASK_ON", True), ("MODEL.KEYPOINT_ON", True)
POINTS = (*MASKS, "MODEL.ROI_MASK_HEAD.CONV_DIM", 32, "MODEL.POINT_HEAD.NUM_CLASSES", 16)
# Head -> the file that is laid over the world's slim detector, and keys.
HEADS = {
    "Mask R-CNN": (None, MASKS),
    "Keypoint R-CNN": (None, KEYPOINTS),
    "Cascade Mask R-CNN": ("Base-Cascade-RCNN.yaml", MASKS),
    "PointRend": ("Base-PointRend.yaml", POINTS),
    "C4": ("Base-RCNN-C4.yaml", (*PLAIN, *MASKS)),
    "DC5": ("Base-RCNN-DC5.yaml", (*PLAIN, *MASKS)),
    "RetinaNet": ("Base-RetinaNet.yaml", ()),
    "FCOS": ("Base-FCOS.yaml", ("MODEL.FCOS.NORM", "")),
    "a ConvNeXt": (None, (*TIMM, "test_convnext")),
    "a RegNet": (None, ("MODEL.BACKBONE.NAME", "torchvision_FPN", "MODEL.TORCHVISION.NAME", "regnet_y_400mf")),
    "a vision transformer": (None, (*TIMM, "test_vit")),
}
BOXES = {"pred_boxes": Boxes, "scores": Tensor, "pred_classes": Tensor}
PROPOSALS = {"proposal_boxes": Boxes, "objectness_logits": Tensor}
# Head -> what its instances hold.
SCRIPTABLE = {
    "Mask R-CNN": {**PROPOSALS, **BOXES, "pred_masks": Tensor},
    "Keypoint R-CNN": {**PROPOSALS, **BOXES, "pred_keypoints": Tensor, "pred_keypoint_heatmaps": Tensor},
    "C4": {**PROPOSALS, **BOXES, "pred_masks": Tensor},
    "DC5": {**PROPOSALS, **BOXES, "pred_masks": Tensor},
    "RetinaNet": BOXES,
}


@pytest.fixture
def detector(repository):
    """Builds the detector of a head, from random weights."""

    def built(head):
        torch.manual_seed(0)
        overlay, opts = HEADS[head]
        if "timm_FPN" in opts:
            pytest.importorskip("timm")
        cfg = get_cfg()
        add_igdet_config(cfg)
        for file in ("quick_schedules/Base-World-RCNN-FPN.yaml", overlay):
            if file:
                merge_config_file(cfg, repository / "configs" / file)
        quick = ("MODEL.DEVICE", "cpu", "TEST.DETECTIONS_PER_IMAGE", 10, "MODEL.RPN.POST_NMS_TOPK_TEST", 20)
        cfg.merge_from_list([*quick, "MODEL.ROI_HEADS.SCORE_THRESH_TEST", 0.0, *opts])
        model = build_model(cfg).eval()
        if hasattr(model, "head"):
            spread(model.head)
        return model

    return built


def spread(head):
    """Let a dense head's new weights tell places apart: Detectron2's are so small that all scores are alike."""
    for layer in (*head.cls_subnet, head.cls_score):
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
    head.cls_subnet.append(nn.GroupNorm(1, head.cls_score.in_channels))
    if hasattr(head, "ctrness"):
        nn.init.ones_(head.bbox_pred.bias)  # boxes with an area


def image(height, width):
    return {"image": torch.randint(0, 256, (3, height, width), dtype=torch.uint8)}


def detect(model, images):
    """The first image's instances, not resized."""
    if hasattr(model, "inference"):
        return model.inference(images, do_postprocess=False)[0]
    found = model(images)[0]
    return found["instances"] if isinstance(found, dict) else found


def detect_unclipped(model, images):
    """What a scripted dense detector returns: its boxes reach out of the image."""
    if hasattr(model, "inference"):
        return detect(model, images)
    shown = model.preprocess_image(images)
    maps = model.backbone(shown.tensor)
    features = [maps[level] for level in model.head_in_features]
    return model.forward_inference(shown, features, model.head(features))[0]


def assert_same(found, expected):
    for name, value in expected.get_fields().items():
        ours = getattr(found, name)
        pair = [each.tensor if isinstance(each, Boxes) else each for each in (ours, value)]
        torch.testing.assert_close(*pair, rtol=1e-3, atol=1e-3, msg=lambda text, name=name: f"{name}: {text}")
    assert len(expected) > 0


@pytest.mark.parametrize("head", HEADS)
@torch.no_grad()
def test_a_traced_detector_finds_the_same_in_images_of_other_sizes(head, detector):
    model = detector(head)
    adapter = TracingAdapter(model, [image(64, 96)], inference_func=detect)
    traced = torch.jit.trace(adapter, adapter.flattened_inputs, check_trace=False)
    other = image(96, 64)
    assert_same(adapter.outputs_schema(traced(other["image"])), detect(model, [other]))


@pytest.mark.parametrize("head", SCRIPTABLE)
@torch.no_grad()
def test_a_scripted_detector_finds_the_same(head, detector):
    model = detector(head)
    scripted = scripting_with_instances(model, SCRIPTABLE[head])
    images = [image(96, 64)]
    assert_same(detect(scripted, images), detect_unclipped(model, images))


@pytest.mark.parametrize("name", ["X_14_8x4d", "X_14_8x4d_FPN", "R_18_FPN"])
@torch.no_grad()
def test_a_scripted_backbone_gives_the_same_maps(name):
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.MODEL.BACKBONE.NAME = name
    cfg.MODEL.RESNETS.OUT_FEATURES = cfg.MODEL.FPN.IN_FEATURES = ["res2", "res3", "res4", "res5"]
    backbone = build_backbone(cfg).eval()
    images = torch.rand(1, 3, 64, 96)
    found, expected = torch.jit.script(backbone)(images), backbone(images)
    assert found.keys() == expected.keys()
    for level, maps in expected.items():
        torch.testing.assert_close(found[level], maps)


@torch.no_grad()
def test_a_traced_mixture_routes_each_image_by_itself():
    trunk = build_resnext(FAMILY["X_26_8x4d"], mixture=Mixture(4)).eval()
    router = trunk.get_submodule("res5.1.router")
    images, pooled = torch.randn(2, 1, 3, 64, 64), []
    with router.register_forward_pre_hook(lambda _, inputs: pooled.append(inputs[0].mean((0, 2, 3)))):
        for each in images:
            trunk(each)
    apart = F.normalize(pooled[0], dim=0) - F.normalize(pooled[1], dim=0)
    router.scores.weight.copy_(torch.stack([apart, -apart, 0 * apart, 0 * apart]))  # experts 0 and 1 part them
    traced = torch.jit.trace(trunk, images[0], check_trace=False, strict=False)
    for each in images:
        torch.testing.assert_close(traced(each)["res5"], trunk(each)["res5"])


@torch.no_grad()
def test_a_traced_pyramid_upon_patches_of_14_pixels_takes_other_sizes():
    pytest.importorskip("timm")
    keys = {"MODEL.TIMM.NAME": "vit_small_patch14_reg4_dinov2", "MODEL.FPN.OUT_CHANNELS": 16}
    pyramid = build_trunk("timm_FPN", ["res4"], keys=keys).eval()
    traced = torch.jit.trace(pyramid, torch.rand(1, 3, 32, 64), check_trace=False, strict=False)
    images = torch.rand(1, 3, 64, 32)
    for level, maps in pyramid(images).items():
        torch.testing.assert_close(traced(images)[level], maps, rtol=1e-3, atol=1e-3)
