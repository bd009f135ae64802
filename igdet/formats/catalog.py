"""Published weights by name: `MODEL.WEIGHTS: igdet://<name>`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from igdet.formats.origin import FAIR_RESNEXT, MSRA, TORCHVISION, Origin
from igdet.formats.published import RESULTS
from igdet.utils.cache import cache_folder

PREFIX = "igdet://"
LOCAL = f"{PREFIX}file/"  # before the path of any checkpoint that igdet reads, for Detectron2's own checkpointer
_HASH_IN_NAME = re.compile(r"[-_]([0-9a-f]{6,64})\.\w+$")


@dataclass(frozen=True)
class Publication:
    """Files published together.

    Attributes:
        folder: URL of the folder that holds them.
        trained_on: the data, in order.
        source: who published them.
        licence: of the files.
        algorithm: "sha256" or "md5", the first digits of which end the files' names; "": no hash is published.
        classes: the list of `igdet.formats.imagenet_lists` that the classifiers' outputs stand for; "": there are none.
    """

    folder: str
    trained_on: str
    source: str
    licence: str
    algorithm: str = "sha256"
    classes: str = "imagenet-1k"


@dataclass(frozen=True)
class Weights:
    """One published file.

    Attributes:
        file_name: below the publication's folder, and below the cache.
        backbone: the MODEL.BACKBONE.NAME that it fits.
        publication: where it belongs.
        accuracy: as `igdet.formats.published` has it, in percent: "top-1" and "top-5" on ImageNet-1k, "box", "mask" and
            "keypoint" AP on COCO. Empty: not published here.
        origin: how images must be fed.
        note: what else one should know.
    """

    file_name: str
    backbone: str
    publication: Publication
    accuracy: Mapping[str, float] = field(default_factory=dict)
    origin: Origin = TORCHVISION
    note: str = ""

    @property
    def url(self) -> str:
        """Where it is published."""
        return f"{self.publication.folder}/{self.file_name}"

    @property
    def cached_path(self) -> Path:
        """Where it is kept, whether it is there or not."""
        return cache_folder() / self.file_name

    @property
    def digits(self) -> str:
        """The first hexadecimal digits of the file's hash, by the publication's algorithm; "": not published."""
        if not self.publication.algorithm:
            return ""
        return digits_in(self.file_name)

    @property
    def hash(self) -> str:
        """The published hash, for people."""
        return f"{self.publication.algorithm} {self.digits}" if self.digits else "not published"


def in_words(accuracy: Mapping[str, float]) -> str:
    """Published accuracies, in percent."""
    return ", ".join(f"{name} {value}" for name, value in accuracy.items()) or "not published here"


def digits_in(file_name: str) -> str:
    """Return the digits of the hash that ends a published file's name, such as "swag-43afe44d.pth"."""
    [digits] = _HASH_IN_NAME.findall(file_name)
    return digits


_PYTORCH = "https://download.pytorch.org/models"
_FAIR = "https://dl.fbaipublicfiles.com/semiweaksupervision/model_files"
_DETECTRON2 = "https://dl.fbaipublicfiles.com/detectron2"
_NON_COMMERCIAL = "CC BY-NC 4.0"
_SHARE_ALIKE = "CC BY-SA 3.0"
_ZOO = "Detectron2, MODEL_ZOO.md"

HASHTAGS = Publication(
    _PYTORCH,
    "940 million Instagram images with 1.5k hashtags, then ImageNet-1k",
    "facebookresearch/WSL-Images",
    _NON_COMMERCIAL,
)
HASHTAG_TEACHER = Publication(
    _FAIR,
    "940 million Instagram images with 1.5k hashtags labelled by a teacher pretrained on them, then ImageNet-1k",
    "facebookresearch/semi-supervised-ImageNet1K-models",
    _NON_COMMERCIAL,
)
IMAGENET_TEACHER = Publication(
    _FAIR,
    "YFCC100M labelled by a teacher trained on ImageNet-1k, then ImageNet-1k",
    "facebookresearch/semi-supervised-ImageNet1K-models",
    _NON_COMMERCIAL,
)
IMAGENET = Publication(_PYTORCH, "ImageNet-1k", "torchvision, IMAGENET1K_V1", "BSD-3-Clause")
IMAGENET_V2 = Publication(
    _PYTORCH, "ImageNet-1k", "torchvision, IMAGENET1K_V2 (long recipe; from a 232-pixel short side)", "BSD-3-Clause"
)
ZOO_IMAGENET = Publication(
    f"{_DETECTRON2}/ImageNetPretrained", "ImageNet-1k", _ZOO, _SHARE_ALIKE, algorithm="", classes=""
)
ZOO_MASKS = Publication(
    f"{_DETECTRON2}/COCO-InstanceSegmentation", "ImageNet-1k, then COCO train2017", _ZOO, _SHARE_ALIKE, "md5", ""
)
ZOO_KEYPOINTS = Publication(
    f"{_DETECTRON2}/COCO-Keypoints", "ImageNet-1k, then persons of COCO train2017", _ZOO, _SHARE_ALIKE, "md5", ""
)


# Metric in results.json -> what the catalog calls it.
_SHORT = {
    "classification/top1": "top-1",
    "classification/top5": "top-5",
    "bbox/AP": "box",
    "segm/AP": "mask",
    "keypoints/AP": "keypoint",
}

# Detectron2's ResNets of this kind stride in the 1x1 convolution, which igdet's family does not.
_MSRA, _MSRA_FPN = "build_resnet_backbone", "build_resnet_fpn_backbone"

# fmt: off
FILES: dict[str, Weights] = {
    "ig_resnext101_32x8d": Weights("ig_resnext101_32x8-c38310e5.pth", "X_101_32x8d", HASHTAGS),
    "ig_resnext101_32x16d": Weights("ig_resnext101_32x16-c6f796b0.pth", "X_101_32x16d", HASHTAGS),
    "ig_resnext101_32x32d": Weights("ig_resnext101_32x32-e4b90b00.pth", "X_101_32x32d", HASHTAGS),
    "ig_resnext101_32x48d": Weights("ig_resnext101_32x48-3e41cc8a.pth", "X_101_32x48d", HASHTAGS),

    "swsl_resnet18": Weights("semi_weakly_supervised_resnet18-118f1556.pth", "R_18", HASHTAG_TEACHER),
    "swsl_resnet50": Weights("semi_weakly_supervised_resnet50-16a12f1b.pth", "R_50", HASHTAG_TEACHER),
    "swsl_resnext50_32x4d": Weights(
        "semi_weakly_supervised_resnext50_32x4-72679e44.pth", "X_50_32x4d", HASHTAG_TEACHER),
    "swsl_resnext101_32x4d": Weights(
        "semi_weakly_supervised_resnext101_32x4-3f87e46b.pth", "X_101_32x4d", HASHTAG_TEACHER),
    "swsl_resnext101_32x8d": Weights(
        "semi_weakly_supervised_resnext101_32x8-b4712904.pth", "X_101_32x8d", HASHTAG_TEACHER),
    "swsl_resnext101_32x16d": Weights(
        "semi_weakly_supervised_resnext101_32x16-f3559a9c.pth", "X_101_32x16d", HASHTAG_TEACHER,
        note="84.8 was published; the file on the server is a bad save"),

    "ssl_resnet18": Weights("semi_supervised_resnet18-d92f0530.pth", "R_18", IMAGENET_TEACHER),
    "ssl_resnet50": Weights("semi_supervised_resnet50-08389792.pth", "R_50", IMAGENET_TEACHER),
    "ssl_resnext50_32x4d": Weights("semi_supervised_resnext50_32x4-ddb3e555.pth", "X_50_32x4d", IMAGENET_TEACHER),
    "ssl_resnext101_32x4d": Weights("semi_supervised_resnext101_32x4-dc43570a.pth", "X_101_32x4d", IMAGENET_TEACHER),
    "ssl_resnext101_32x8d": Weights("semi_supervised_resnext101_32x8-2cfe2f8b.pth", "X_101_32x8d", IMAGENET_TEACHER),
    "ssl_resnext101_32x16d": Weights("semi_supervised_resnext101_32x16-15fffa57.pth", "X_101_32x16d", IMAGENET_TEACHER),

    "in1k_resnet18": Weights("resnet18-f37072fd.pth", "R_18", IMAGENET),
    "in1k_resnet50": Weights("resnet50-0676ba61.pth", "R_50", IMAGENET),
    "in1k_resnet101": Weights("resnet101-63fe2227.pth", "R_101", IMAGENET),
    "in1k_resnext50_32x4d": Weights("resnext50_32x4d-7cdf4587.pth", "X_50_32x4d", IMAGENET),
    "in1k_resnext101_32x8d": Weights("resnext101_32x8d-8ba56ff5.pth", "X_101_32x8d", IMAGENET),
    "in1k_v2_resnet50": Weights("resnet50-11ad3fa6.pth", "R_50", IMAGENET_V2),
    "in1k_v2_resnet101": Weights("resnet101-cd907fc2.pth", "R_101", IMAGENET_V2),
    "in1k_v2_resnext50_32x4d": Weights("resnext50_32x4d-1a0047aa.pth", "X_50_32x4d", IMAGENET_V2),
    "in1k_v2_resnext101_32x8d": Weights("resnext101_32x8d-110c445d.pth", "X_101_32x8d", IMAGENET_V2),

    "d2_msra_resnet50": Weights("MSRA/R-50.pkl", _MSRA, ZOO_IMAGENET, origin=MSRA),
    "d2_msra_resnet101": Weights("MSRA/R-101.pkl", _MSRA, ZOO_IMAGENET, origin=MSRA),
    "d2_torchvision_resnet50": Weights("torchvision/R-50.pkl", "R_50", ZOO_IMAGENET),
    "d2_fair_resnext101_32x8d": Weights("FAIR/X-101-32x8d.pkl", "X_101_32x8d", ZOO_IMAGENET, origin=FAIR_RESNEXT),

    "d2_mask_resnet50_fpn_1x": Weights(
        "mask_rcnn_R_50_FPN_1x/137260431/model_final_a54504.pkl", _MSRA_FPN, ZOO_MASKS, origin=MSRA),
    "d2_mask_resnet50_fpn_3x": Weights(
        "mask_rcnn_R_50_FPN_3x/137849600/model_final_f10217.pkl", _MSRA_FPN, ZOO_MASKS, origin=MSRA),
    "d2_mask_resnet101_fpn_3x": Weights(
        "mask_rcnn_R_101_FPN_3x/138205316/model_final_a3ec72.pkl", _MSRA_FPN, ZOO_MASKS, origin=MSRA),
    "d2_mask_resnext101_32x8d_fpn_3x": Weights(
        "mask_rcnn_X_101_32x8d_FPN_3x/139653917/model_final_2d9806.pkl", "X_101_32x8d_FPN", ZOO_MASKS,
        origin=FAIR_RESNEXT),
    "d2_keypoint_resnet50_fpn_1x": Weights(
        "keypoint_rcnn_R_50_FPN_1x/137261548/model_final_04e291.pkl", _MSRA_FPN, ZOO_KEYPOINTS, origin=MSRA),
    "d2_keypoint_resnet50_fpn_3x": Weights(
        "keypoint_rcnn_R_50_FPN_3x/137849621/model_final_a6e10b.pkl", _MSRA_FPN, ZOO_KEYPOINTS, origin=MSRA),
    "d2_keypoint_resnet101_fpn_3x": Weights(
        "keypoint_rcnn_R_101_FPN_3x/138363331/model_final_997cc7.pkl", _MSRA_FPN, ZOO_KEYPOINTS, origin=MSRA),
    "d2_keypoint_resnext101_32x8d_fpn_3x": Weights(
        "keypoint_rcnn_X_101_32x8d_FPN_3x/139686956/model_final_5ad38f.pkl", "X_101_32x8d_FPN", ZOO_KEYPOINTS,
        origin=FAIR_RESNEXT),
}
# fmt: on


def _accuracy(name: str) -> dict[str, float]:
    """Return what `igdet.formats.published` has for weights, by the catalog's short names of metrics."""
    return {_SHORT[metric]: value for metric, value in RESULTS[name].values.items()} if name in RESULTS else {}


WEIGHTS = {name: replace(weights, accuracy=_accuracy(name)) for name, weights in FILES.items()}


def is_published(path: str) -> bool:
    """Whether a MODEL.WEIGHTS is a name of the catalog."""
    return path.startswith(PREFIX) and not path.startswith(LOCAL)


def full_name(name: str) -> str:
    """Return the igdet:// form of a name of the catalog; anything else stays as it is."""
    return PREFIX + name if name in WEIGHTS else name


class Listed(NamedTuple):
    """Weights of torchvision as the tables of weights show them; the library itself knows the rest.

    Attributes:
        file_name: below `TORCHVISION_FOLDER`.
        crop: side in pixels.
        accuracy: top-1 and top-5 on ImageNet-1k, in percent, as torchvision states them.
    """

    file_name: str
    crop: int
    accuracy: tuple[float, float]


TORCHVISION_FOLDER = _PYTORCH
SWAG_LICENCE = "https://github.com/facebookresearch/SWAG/blob/main/LICENSE"
# torchvision's weights pretrained on hashtags (SWAG, arXiv 2201.08371), by the name after torchvision://. Written down
# here because to ask the library takes seconds; a test compares.
TORCHVISION_HASHTAGS = {
    "regnet_y_128gf.IMAGENET1K_SWAG_E2E_V1": Listed("regnet_y_128gf_swag-c8ce3e52.pth", 384, (88.2, 98.7)),
    "regnet_y_128gf.IMAGENET1K_SWAG_LINEAR_V1": Listed("regnet_y_128gf_lc_swag-cbe8ce12.pth", 224, (86.1, 97.8)),
    "regnet_y_16gf.IMAGENET1K_SWAG_E2E_V1": Listed("regnet_y_16gf_swag-43afe44d.pth", 384, (86.0, 98.1)),
    "regnet_y_16gf.IMAGENET1K_SWAG_LINEAR_V1": Listed("regnet_y_16gf_lc_swag-f3ec0043.pth", 224, (84.0, 97.2)),
    "regnet_y_32gf.IMAGENET1K_SWAG_E2E_V1": Listed("regnet_y_32gf_swag-04fdfa75.pth", 384, (86.8, 98.4)),
    "regnet_y_32gf.IMAGENET1K_SWAG_LINEAR_V1": Listed("regnet_y_32gf_lc_swag-e1583746.pth", 224, (84.6, 97.5)),
    "vit_b_16.IMAGENET1K_SWAG_E2E_V1": Listed("vit_b_16_swag-9ac1b537.pth", 384, (85.3, 97.7)),
    "vit_b_16.IMAGENET1K_SWAG_LINEAR_V1": Listed("vit_b_16_lc_swag-4e70ced5.pth", 224, (81.9, 96.2)),
    "vit_h_14.IMAGENET1K_SWAG_E2E_V1": Listed("vit_h_14_swag-80465313.pth", 518, (88.6, 98.7)),
    "vit_h_14.IMAGENET1K_SWAG_LINEAR_V1": Listed("vit_h_14_lc_swag-c1eb923e.pth", 224, (85.7, 97.7)),
    "vit_l_16.IMAGENET1K_SWAG_E2E_V1": Listed("vit_l_16_swag-4f3808c9.pth", 512, (88.1, 98.5)),
    "vit_l_16.IMAGENET1K_SWAG_LINEAR_V1": Listed("vit_l_16_lc_swag-4d563306.pth", 224, (85.1, 97.4)),
}
