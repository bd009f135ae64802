"""Published results that the report may print beside its own, each with its source."""

from dataclasses import dataclass

ARTICLE = "the public article on Mahajan et al., Exploring the Limits of Weakly Supervised Pretraining (ECCV 2018)"
WSL_RELEASE = "the authors' release of the WSL weights"
SWSL_RELEASE = "the authors' release of the semi-weakly supervised weights"
DETECTRON2_ZOO = "the Detectron2 model zoo"


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
    source: str


def _top(top1: float, top5: float | None = None) -> dict[str, float]:
    return {"classification/top1": top1} | ({} if top5 is None else {"classification/top5": top5})


# Protocol -> results published for it. A suite's target names the protocol it follows.
PUBLISHED = {
    "imagenet1k_finetuned": [
        Published("ResNeXt-101 32x8d, 940M hashtag images, 1.5k hashtags", _top(82.2, 96.4), WSL_RELEASE),
        Published("ResNeXt-101 32x16d, the same", _top(84.2, 97.2), WSL_RELEASE),
        Published("ResNeXt-101 32x32d, the same", _top(85.1, 97.5), WSL_RELEASE),
        Published("ResNeXt-101 32x48d, the same", _top(85.4, 97.6), ARTICLE),
        Published("previous best, as the article quotes it", _top(79.8), ARTICLE),
        Published("ResNeXt-50 32x4d, semi-weakly supervised", _top(82.2), SWSL_RELEASE),
        Published("ResNeXt-101 32x8d, semi-weakly supervised", _top(84.3), SWSL_RELEASE),
    ],
    "imagenet1k_linear": [
        Published("about 1B hashtag images, 1.5k hashtags, frozen features", _top(83.6), ARTICLE),
    ],
    "coco_boxes_masks": [
        Published("best hashtag-pretrained network", {"bbox/AP": 45.2}, ARTICLE),
        Published("previous best, as the article quotes it", {"bbox/AP": 43.7}, ARTICLE),
        Published("Mask R-CNN X101-32x8d-FPN 3x, ImageNet-1k", {"bbox/AP": 44.3, "segm/AP": 39.5}, DETECTRON2_ZOO),
        Published("Mask R-CNN R101-FPN 3x, ImageNet-1k", {"bbox/AP": 42.9, "segm/AP": 38.6}, DETECTRON2_ZOO),
        Published("Mask R-CNN R50-FPN 3x, ImageNet-1k", {"bbox/AP": 41.0, "segm/AP": 37.2}, DETECTRON2_ZOO),
        Published("Mask R-CNN R50-FPN 1x, ImageNet-1k", {"bbox/AP": 38.6, "segm/AP": 35.2}, DETECTRON2_ZOO),
    ],
    "coco_keypoints": [
        Published(
            "Keypoint R-CNN X101-32x8d-FPN 3x, ImageNet-1k", {"bbox/AP": 57.3, "keypoints/AP": 66.0}, DETECTRON2_ZOO
        ),
    ],
}
