"""Published weights by name: `MODEL.WEIGHTS: igdet://<name>`."""

from dataclasses import dataclass

PREFIX = "igdet://"


@dataclass(frozen=True)
class Publication:
    """Files published together.

    Attributes:
        folder: URL of the folder that holds them.
        trained_on: the data, in order.
        source: who published files and accuracies.
        licence: of the files.
    """

    folder: str
    trained_on: str
    source: str
    licence: str


@dataclass(frozen=True)
class Weights:
    """One published file, in torchvision's format: RGB pictures, torchvision's normalisation.

    Attributes:
        file_name: ends in the first eight hexadecimal digits of its SHA-256.
        backbone: the member of the ResNeXt family that it fits.
        publication: where it belongs.
        top1: published accuracy on ImageNet-1k's validation set, in percent, one centre crop of 224 pixels.
        top5: likewise; None where it is not published here.
    """

    file_name: str
    backbone: str
    publication: Publication
    top1: float
    top5: float | None = None

    @property
    def url(self) -> str:
        """Where it is published."""
        return f"{self.publication.folder}/{self.file_name}"

    @property
    def sha256(self) -> str:
        """The first digits of the file's SHA-256."""
        return self.file_name.removesuffix(".pth").rsplit("-", 1)[-1]


_PYTORCH = "https://download.pytorch.org/models"
_FAIR = "https://dl.fbaipublicfiles.com/semiweaksupervision/model_files"
_NON_COMMERCIAL = "CC BY-NC 4.0"

HASHTAGS = Publication(
    _PYTORCH,
    "940 million Instagram pictures with 1.5k hashtags, then ImageNet-1k",
    "facebookresearch/WSL-Images",
    _NON_COMMERCIAL,
)
HASHTAG_TEACHER = Publication(
    _FAIR,
    "940 million Instagram pictures with 1.5k hashtags labelled by a teacher pretrained on them, then ImageNet-1k",
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

WEIGHTS: dict[str, Weights] = {
    "ig_resnext101_32x8d": Weights("ig_resnext101_32x8-c38310e5.pth", "X_101_32x8d", HASHTAGS, 82.2, 96.4),
    "ig_resnext101_32x16d": Weights("ig_resnext101_32x16-c6f796b0.pth", "X_101_32x16d", HASHTAGS, 84.2, 97.2),
    "ig_resnext101_32x32d": Weights("ig_resnext101_32x32-e4b90b00.pth", "X_101_32x32d", HASHTAGS, 85.1, 97.5),
    "ig_resnext101_32x48d": Weights("ig_resnext101_32x48-3e41cc8a.pth", "X_101_32x48d", HASHTAGS, 85.4, 97.6),
    "swsl_resnext50_32x4d": Weights(
        "semi_weakly_supervised_resnext50_32x4-72679e44.pth", "X_50_32x4d", HASHTAG_TEACHER, 82.2
    ),
    "swsl_resnext101_32x4d": Weights(
        "semi_weakly_supervised_resnext101_32x4-3f87e46b.pth", "X_101_32x4d", HASHTAG_TEACHER, 83.4
    ),
    "swsl_resnext101_32x8d": Weights(
        "semi_weakly_supervised_resnext101_32x8-b4712904.pth", "X_101_32x8d", HASHTAG_TEACHER, 84.3
    ),
    # 84.8 was published; the file on the server is a bad save and reaches 83.3.
    "swsl_resnext101_32x16d": Weights(
        "semi_weakly_supervised_resnext101_32x16-f3559a9c.pth", "X_101_32x16d", HASHTAG_TEACHER, 83.3
    ),
    "ssl_resnext50_32x4d": Weights("semi_supervised_resnext50_32x4-ddb3e555.pth", "X_50_32x4d", IMAGENET_TEACHER, 80.3),
    "ssl_resnext101_32x4d": Weights(
        "semi_supervised_resnext101_32x4-dc43570a.pth", "X_101_32x4d", IMAGENET_TEACHER, 81.0
    ),
    "ssl_resnext101_32x8d": Weights(
        "semi_supervised_resnext101_32x8-2cfe2f8b.pth", "X_101_32x8d", IMAGENET_TEACHER, 81.7
    ),
    "ssl_resnext101_32x16d": Weights(
        "semi_supervised_resnext101_32x16-15fffa57.pth", "X_101_32x16d", IMAGENET_TEACHER, 81.9
    ),
    "in1k_resnext50_32x4d": Weights("resnext50_32x4d-7cdf4587.pth", "X_50_32x4d", IMAGENET, 77.618, 93.698),
    "in1k_resnext101_32x8d": Weights("resnext101_32x8d-8ba56ff5.pth", "X_101_32x8d", IMAGENET, 79.312, 94.526),
    "in1k_v2_resnext50_32x4d": Weights("resnext50_32x4d-1a0047aa.pth", "X_50_32x4d", IMAGENET_V2, 81.198, 95.34),
    "in1k_v2_resnext101_32x8d": Weights("resnext101_32x8d-110c445d.pth", "X_101_32x8d", IMAGENET_V2, 82.834, 96.228),
}
