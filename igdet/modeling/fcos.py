"""Detectron2's FCOS as a meta-architecture that a config names; its keys are those of MODEL.FCOS."""

from typing import Any

import torch
from detectron2.config import CfgNode, configurable
from detectron2.layers import get_norm
from detectron2.modeling import META_ARCH_REGISTRY, build_backbone
from detectron2.modeling.meta_arch import fcos
from detectron2.structures import Boxes, Instances
from torch import nn

GROUPS = 32  # of Detectron2's GN


@META_ARCH_REGISTRY.register()
class FCOS(fcos.FCOS):
    """A box, a class and a centerness from every place of each level, without anchors.

    "FCOS: A Simple and Strong Anchor-Free Object Detector" (arXiv 2006.09214).
    """

    @configurable
    def __init__(self, **arguments: Any):
        """Build the detector as Detectron2's constructor does, which names the arguments."""
        super().__init__(**arguments)

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict:
        """Read the constructor's arguments from a config."""
        keys, backbone = cfg.MODEL.FCOS, build_backbone(cfg)
        shapes = [backbone.output_shape()[level] for level in keys.IN_FEATURES]
        return {
            "backbone": backbone,
            "head": fcos.FCOSHead(
                input_shape=shapes,
                num_classes=keys.NUM_CLASSES,
                conv_dims=[shapes[0].channels] * keys.NUM_CONVS,
                norm=_group_norm if keys.NORM == "GN" else keys.NORM,
                prior_prob=keys.PRIOR_PROB,
            ),
            "head_in_features": keys.IN_FEATURES,
            "num_classes": keys.NUM_CLASSES,
            "center_sampling_radius": keys.CENTER_SAMPLING_RADIUS,
            "focal_loss_alpha": keys.FOCAL_LOSS_ALPHA,
            "focal_loss_gamma": keys.FOCAL_LOSS_GAMMA,
            "test_score_thresh": keys.SCORE_THRESH_TEST,
            "test_topk_candidates": keys.TOPK_CANDIDATES_TEST,
            "test_nms_thresh": keys.NMS_THRESH_TEST,
            "max_detections_per_image": cfg.TEST.DETECTIONS_PER_IMAGE,
            "pixel_mean": cfg.MODEL.PIXEL_MEAN,
            "pixel_std": cfg.MODEL.PIXEL_STD,
        }

    @torch.no_grad()
    def label_anchors(self, anchors: list[Boxes], gt_instances: list[Instances]) -> tuple[list, list]:
        """As Detectron2's, whose release 0.6 fails on an image without objects, as a crop can leave it."""
        filled = [objects if len(objects) else _empty_box(objects, self.num_classes) for objects in gt_instances]
        return super().label_anchors(anchors, filled)


def _group_norm(channels: int) -> nn.Module:
    """GN; Detectron2 0.6 asks for one of a single channel too, of which it wants to know the type."""
    return get_norm("GN", max(channels, GROUPS))


def _empty_box(objects: Instances, background: int) -> Instances:
    """The same as no object: no place lies within a box without area."""
    return Instances(
        objects.image_size,
        gt_boxes=Boxes(objects.gt_boxes.tensor.new_zeros(1, 4)),
        gt_classes=objects.gt_classes.new_full((1,), background),
    )
