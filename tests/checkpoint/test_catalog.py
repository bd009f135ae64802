"""The table of published weights."""

import re

import pytest
from torchvision.models import ResNeXt50_32X4D_Weights, ResNeXt101_32X8D_Weights

from igdet.checkpoint import WEIGHTS, WeightsError, find_weights
from igdet.modeling import FAMILY


@pytest.mark.parametrize("name", WEIGHTS)
def test_every_entry_is_complete(name):
    weights = WEIGHTS[name]
    assert weights.backbone in FAMILY
    assert name.endswith(weights.backbone.removeprefix("X_"))
    assert re.fullmatch(r"[0-9a-f]{8}", weights.sha256)
    assert weights.url.startswith("https://") and weights.url.endswith(f"-{weights.sha256}.pth")
    assert 70 < weights.top1 < (weights.top5 or 100)
    assert weights.publication.licence and weights.publication.source and weights.publication.trained_on


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("in1k_resnext50_32x4d", ResNeXt50_32X4D_Weights.IMAGENET1K_V1),
        ("in1k_v2_resnext50_32x4d", ResNeXt50_32X4D_Weights.IMAGENET1K_V2),
        ("in1k_resnext101_32x8d", ResNeXt101_32X8D_Weights.IMAGENET1K_V1),
        ("in1k_v2_resnext101_32x8d", ResNeXt101_32X8D_Weights.IMAGENET1K_V2),
    ],
)
def test_torchvisions_are_as_torchvision_has_them(name, theirs):
    published = theirs.meta["_metrics"]["ImageNet-1K"]
    assert WEIGHTS[name].url == theirs.url
    assert (WEIGHTS[name].top1, WEIGHTS[name].top5) == (published["acc@1"], published["acc@5"])


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("igdet://ig_resnext101_32x8", "did you mean 'igdet://ig_resnext101_32x8d'?"),
        ("igdet://vit", "there are ig_resnext101_32x8d, ig_resnext101_32x16d"),
    ],
)
def test_unknown_names(path, hint):
    with pytest.raises(WeightsError, match=re.escape(hint)):
        find_weights(path)
