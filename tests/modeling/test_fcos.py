"""FCOS from a config, against the one that Detectron2's own LazyConfig builds."""

import pytest
import torch
from detectron2 import model_zoo
from detectron2.config import get_cfg, instantiate
from detectron2.modeling import build_model
from detectron2.structures import Boxes, Instances
from detectron2.utils.events import EventStorage

from igdet.config import add_igdet_config

SETTINGS = (
    *("num_classes", "head_in_features", "center_sampling_radius", "focal_loss_alpha", "focal_loss_gamma"),
    *("test_score_thresh", "test_topk_candidates", "test_nms_thresh", "max_detections_per_image"),
)


@pytest.fixture
def cfg(repository):
    cfg = get_cfg()
    add_igdet_config(cfg)
    cfg.merge_from_file(str(repository / "configs/Base-RCNN-FPN.yaml"))
    cfg.merge_from_file(str(repository / "configs/Base-FCOS.yaml"))
    cfg.MODEL.DEVICE, cfg.MODEL.BACKBONE.NAME = "cpu", "R_50_FPN"
    return cfg


def test_it_is_detectron2s(cfg):
    lazy = model_zoo.get_config("COCO-Detection/fcos_R_50_FPN_1x.py").model
    assert lazy.head.norm == cfg.MODEL.FCOS.NORM
    lazy.head.norm = cfg.MODEL.FCOS.NORM = ""  # Detectron2 0.6 does not build its own with this PyTorch
    cfg.MODEL.DEVICE = "meta"
    with torch.device("meta"):
        ours, theirs = build_model(cfg), instantiate(lazy)
    shapes = [{name: tensor.shape for name, tensor in model.state_dict().items()} for model in (ours, theirs)]
    norms = ("num_batches_tracked",)  # theirs are frozen, and count nothing
    assert {name: shape for name, shape in shapes[0].items() if not name.endswith(norms)} == shapes[1]
    assert [list(map(str, ours.head.children()))] == [list(map(str, theirs.head.children()))]
    for name in SETTINGS:
        assert getattr(ours, name) == getattr(theirs, name), name


@pytest.fixture
def small(cfg):
    cfg.merge_from_list(["MODEL.BACKBONE.NAME", "X_14_8x4d_FPN", "MODEL.FPN.OUT_CHANNELS", 64])
    cfg.MODEL.FCOS.NUM_CLASSES = 2
    return build_model(cfg)


def objects(*boxes, size=(64, 64)):
    """Each of class 1."""
    tensor = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return Instances(size, gt_boxes=Boxes(tensor), gt_classes=torch.ones(len(boxes), dtype=torch.int64))


def test_places_near_the_centre_learn_an_object_of_their_levels_size(small):
    features = [torch.zeros(1, 1, side, side) for side in (8, 4, 2, 1, 1)]
    anchors = small.anchor_generator(features)
    labels, boxes = small.label_anchors(anchors, [objects((16, 16, 40, 40)), objects()])
    # A box of 24 x 24 pixels around (28, 28): its farthest side is nearer than 8 x 8 pixels to each of its places, so
    # that it is p3's, whose places lie at 4, 12, 20, ...; of these, those within 1.5 x 8 = 12 pixels of its centre.
    found = Boxes.cat(anchors)[labels[0] == 1].get_centers()
    assert {(x, y) for x, y in found.tolist()} == {(x, y) for x in (20, 28, 36) for y in (20, 28, 36)}
    matched = boxes[0].tensor if isinstance(boxes[0], Boxes) else boxes[0]
    assert matched[labels[0] == 1].tolist() == [[16, 16, 40, 40]] * 9
    assert (labels[1] == 2).all()  # background


@pytest.mark.parametrize("counts", [(1, 0), (0, 0)])
def test_images_without_objects_are_trained_on(small, counts):
    boxes = [objects(*[(8, 8, 40, 40)] * count) for count in counts]
    images = [{"image": torch.zeros(3, 64, 64, dtype=torch.uint8), "instances": each} for each in boxes]
    with EventStorage():
        losses = small.train()(images)
    sum(losses.values()).backward()
    assert all(loss.isfinite() for loss in losses.values())
    assert small.head.cls_score.weight.grad.isfinite().all()
    assert (losses["loss_fcos_loc"] > 0) == (sum(counts) > 0)
