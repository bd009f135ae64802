"""Published results, each once and with its source: the catalog of weights and the report refer to them by name."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """Who states a result, and where."""

    title: str
    url: str


@dataclass(frozen=True)
class Published:
    """One published result.

    Attributes:
        what: the network and its pretraining.
        values: metric name in results.json -> value, in percent.
        source: who states it.
    """

    what: str
    values: dict[str, float]
    source: Source


ARTICLE = Source(
    "the public article on Mahajan et al., Exploring the Limits of Weakly Supervised Pretraining (ECCV 2018)",
    "https://engineering.fb.com/2018/05/02/ml-applications/"
    "advancing-state-of-the-art-image-recognition-with-deep-learning-on-hashtags",
)
WSL_RELEASE = Source("the authors' release of the WSL weights", "https://github.com/facebookresearch/WSL-Images")
REPLIES = Source("the authors' replies in public threads", "https://github.com/facebookresearch/WSL-Images/issues")
SWSL_RELEASE = Source(
    "the authors' release of the semi-weakly supervised weights",
    "https://github.com/facebookresearch/semi-supervised-ImageNet1K-models",
)
TORCHVISION = Source("torchvision's table of weights", "https://docs.pytorch.org/vision/stable/models.html")
DETECTRON2_ZOO = Source(
    "the Detectron2 model zoo", "https://github.com/facebookresearch/detectron2/blob/main/MODEL_ZOO.md"
)
LATER = Source(
    "later work, told in public by its authors (Singh et al. 2023, The effectiveness of MAE pre-pretraining)",
    "https://arxiv.org/abs/2303.13496",
)
RECTIFIED = "rectified/top1"  # of a rating by people, which is no metric of results.json


def _top(top1: float, top5: float | None = None) -> dict[str, float]:
    return {"classification/top1": top1} | ({} if top5 is None else {"classification/top5": top5})


def _masks(box: float, mask: float) -> dict[str, float]:
    return {"bbox/AP": box, "segm/AP": mask}


# fmt: off
# Results of weights by their names in igdet/formats/catalog.py: top-1 and top-5 on ImageNet-1k's validation set from
# one centre crop of 224 pixels, AP on COCO val2017. Those of no file of the catalog are last.
RESULTS: dict[str, Published] = {
    "ig_resnext101_32x8d": Published(
        "ResNeXt-101 32x8d, 940M hashtag images, 1.5k hashtags", _top(82.2, 96.4), WSL_RELEASE),
    "ig_resnext101_32x16d": Published("ResNeXt-101 32x16d, the same", _top(84.2, 97.2), WSL_RELEASE),
    "ig_resnext101_32x32d": Published("ResNeXt-101 32x32d, the same", _top(85.1, 97.5), WSL_RELEASE),
    "ig_resnext101_32x48d": Published("ResNeXt-101 32x48d, the same", _top(85.4, 97.6), WSL_RELEASE),

    "swsl_resnet18": Published("ResNet-18, semi-weakly supervised", _top(73.4), SWSL_RELEASE),
    "swsl_resnet50": Published("ResNet-50, semi-weakly supervised", _top(81.2), SWSL_RELEASE),
    "swsl_resnext50_32x4d": Published("ResNeXt-50 32x4d, semi-weakly supervised", _top(82.2), SWSL_RELEASE),
    "swsl_resnext101_32x4d": Published("ResNeXt-101 32x4d, semi-weakly supervised", _top(83.4), SWSL_RELEASE),
    "swsl_resnext101_32x8d": Published("ResNeXt-101 32x8d, semi-weakly supervised", _top(84.3), SWSL_RELEASE),
    # 84.8 for the network, of which the server's file is a bad save.
    "swsl_resnext101_32x16d": Published("ResNeXt-101 32x16d, semi-weakly supervised", _top(83.3), SWSL_RELEASE),

    "ssl_resnet18": Published("ResNet-18, semi-supervised", _top(72.8), SWSL_RELEASE),
    "ssl_resnet50": Published("ResNet-50, semi-supervised", _top(79.3), SWSL_RELEASE),
    "ssl_resnext50_32x4d": Published("ResNeXt-50 32x4d, semi-supervised", _top(80.3), SWSL_RELEASE),
    "ssl_resnext101_32x4d": Published("ResNeXt-101 32x4d, semi-supervised", _top(81.0), SWSL_RELEASE),
    "ssl_resnext101_32x8d": Published("ResNeXt-101 32x8d, semi-supervised", _top(81.7), SWSL_RELEASE),
    "ssl_resnext101_32x16d": Published("ResNeXt-101 32x16d, semi-supervised", _top(81.9), SWSL_RELEASE),

    "in1k_resnet18": Published("ResNet-18, ImageNet-1k", _top(69.758, 89.078), TORCHVISION),
    "in1k_resnet50": Published("ResNet-50, ImageNet-1k", _top(76.13, 92.862), TORCHVISION),
    "in1k_resnet101": Published("ResNet-101, ImageNet-1k", _top(77.374, 93.546), TORCHVISION),
    "in1k_resnext50_32x4d": Published("ResNeXt-50 32x4d, ImageNet-1k", _top(77.618, 93.698), TORCHVISION),
    "in1k_resnext101_32x8d": Published("ResNeXt-101 32x8d, ImageNet-1k", _top(79.312, 94.526), TORCHVISION),
    "in1k_v2_resnet50": Published("ResNet-50, ImageNet-1k, long recipe", _top(80.858, 95.434), TORCHVISION),
    "in1k_v2_resnet101": Published("ResNet-101, ImageNet-1k, long recipe", _top(81.886, 95.78), TORCHVISION),
    "in1k_v2_resnext50_32x4d": Published(
        "ResNeXt-50 32x4d, ImageNet-1k, long recipe", _top(81.198, 95.34), TORCHVISION),
    "in1k_v2_resnext101_32x8d": Published(
        "ResNeXt-101 32x8d, ImageNet-1k, long recipe", _top(82.834, 96.228), TORCHVISION),

    "d2_mask_resnet50_fpn_1x": Published("Mask R-CNN R50-FPN 1x, ImageNet-1k", _masks(38.6, 35.2), DETECTRON2_ZOO),
    "d2_mask_resnet50_fpn_3x": Published("Mask R-CNN R50-FPN 3x, ImageNet-1k", _masks(41.0, 37.2), DETECTRON2_ZOO),
    "d2_mask_resnet101_fpn_3x": Published("Mask R-CNN R101-FPN 3x, ImageNet-1k", _masks(42.9, 38.6), DETECTRON2_ZOO),
    "d2_mask_resnext101_32x8d_fpn_3x": Published(
        "Mask R-CNN X101-32x8d-FPN 3x, ImageNet-1k", _masks(44.3, 39.5), DETECTRON2_ZOO),
    "d2_keypoint_resnext101_32x8d_fpn_3x": Published(
        "Keypoint R-CNN X101-32x8d-FPN 3x, ImageNet-1k", {"bbox/AP": 57.3, "keypoints/AP": 66.0}, DETECTRON2_ZOO),

    "swsl_resnext101_32x16d_as_published": Published(
        "ResNeXt-101 32x16d, semi-weakly supervised, as published: not of the file on the server", _top(84.8),
        SWSL_RELEASE),
    "article_finetuned": Published("about 1B hashtag images, 1.5k hashtags, finetuned", _top(84.2), ARTICLE),
    "article_linear": Published("about 1B hashtag images, 1.5k hashtags, frozen features", _top(83.6), ARTICLE),
    "article_boxes": Published("best hashtag-pretrained network", {"bbox/AP": 45.2}, ARTICLE),
    "article_previous_top1": Published("previous best, as the article quotes it", _top(79.8), ARTICLE),
    "article_previous_boxes": Published("previous best, as the article quotes it", {"bbox/AP": 43.7}, ARTICLE),
    "article_rectified_clean": Published("1M images of ImageNet-1k, clean labels", {RECTIFIED: 87.5}, ARTICLE),
    "article_rectified": Published("3.5B hashtag images, 17k hashtags", {RECTIFIED: 90.4}, ARTICLE),
    "later_hashtags": Published("ViT-H, hashtags (SWAG); ViTDet's Cascade Mask R-CNN", _masks(55.7, 47.9), LATER),
    "later_mae": Published("ViT-H, MAE; the same detector", _masks(58.7, 50.9), LATER),
    "later_mae_hashtags": Published("ViT-H, MAE, then hashtags; the same detector", _masks(57.7, 49.6), LATER),
}
# fmt: on

_SHOWN = {
    "imagenet1k_finetuned": (
        *("ig_resnext101_32x8d", "ig_resnext101_32x16d", "ig_resnext101_32x32d", "ig_resnext101_32x48d"),
        *("article_finetuned", "article_previous_top1"),
        *("swsl_resnet18", "swsl_resnet50", "swsl_resnext50_32x4d", "swsl_resnext101_32x4d", "swsl_resnext101_32x8d"),
        *("swsl_resnext101_32x16d_as_published", "swsl_resnext101_32x16d"),
        *("ssl_resnet18", "ssl_resnet50", "ssl_resnext50_32x4d", "ssl_resnext101_32x4d", "ssl_resnext101_32x8d"),
        "ssl_resnext101_32x16d",
    ),
    "imagenet1k_linear": ("article_linear",),
    "imagenet1k_rectified": ("article_rectified_clean", "article_rectified"),
    "coco_boxes_masks": (
        *("article_boxes", "article_previous_boxes", "d2_mask_resnext101_32x8d_fpn_3x"),
        *("d2_mask_resnet101_fpn_3x", "d2_mask_resnet50_fpn_3x", "d2_mask_resnet50_fpn_1x"),
    ),
    "coco_keypoints": ("d2_keypoint_resnext101_32x8d_fpn_3x",),
    "coco_vitdet_cascade": ("later_hashtags", "later_mae", "later_mae_hashtags"),
}
# Protocol -> results published for it. A suite's target names the protocol it follows.
PUBLISHED = {protocol: [RESULTS[name] for name in names] for protocol, names in _SHOWN.items()}


def published_for(protocol: str, metric: str) -> list[tuple[float, Published]]:
    """Return what is published for a metric, by its name in results.json, under a protocol; none for ""."""
    return [(item.values[metric], item) for item in PUBLISHED.get(protocol, ()) if metric in item.values]


@dataclass(frozen=True)
class Finding:
    """A published observation that no single number of a target holds.

    Attributes:
        text: what was observed.
        source: who states it.
    """

    text: str
    source: Source


def _box_and_mask(name: str) -> str:
    values = RESULTS[name].values
    return f"{values['bbox/AP']} / {values['segm/AP']}"


# Observations that suites and studies show beside their own; their FINDINGS names them.
FINDINGS = {
    "size": Finding(
        "Transfer grows about log-linearly with the number of pretraining images, from 3.5M to 3.5B; larger networks "
        "gain more", ARTICLE),
    "vocabulary": Finding(
        "1.5k hashtags that match ImageNet-1k's classes beat 17k on ImageNet-1k; 17k win on CUB2011 and Places365",
        ARTICLE),
    "noise": Finding(
        "Replacing 10% of the hashtags costs less than 1 point of ImageNet-1k top-1, 25% about 2 (ResNeXt-101 32x16d, "
        "1B images, 17k hashtags)", ARTICLE),
    "resampling": Finding(
        "Square-root and uniform resampling gain 5 to 6 points of linear ImageNet transfer over natural", ARTICLE),
    "classes": Finding(
        "Pretrainings differ more on targets with more classes, ImageNet-5k and -9k, than on ImageNet-1k", ARTICLE),
    "localization": Finding(
        "Hashtag pretraining may hurt localization: box AP gains at IoU 0.5 exceed those at 0.75, and keypoints stay "
        "flat", ARTICLE),
    "gain": Finding(
        "The network with 84.2 has 4.6 points of ImageNet-1k top-1 more than the same one trained on ImageNet-1k alone "
        "and 1.5 more than the best optimised architecture before it", ARTICLE),
    "learning_rate": Finding(
        "The learning rate that suits hashtag weights in detection is significantly lower than for ImageNet weights: "
        "sweep it for each initialization", REPLIES),
    "loss": Finding("Sigmoids of each hashtag were significantly worse than the softmax", REPLIES),
    "vitdet": Finding(
        f"COCO box / mask AP of ViT-H in ViTDet's Cascade Mask R-CNN: {_box_and_mask('later_hashtags')} from hashtags, "
        f"{_box_and_mask('later_mae')} from MAE, {_box_and_mask('later_mae_hashtags')} from MAE, then hashtags", LATER),
}  # fmt: skip
