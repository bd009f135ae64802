"""The table of published weights."""

import re

import pytest
import timm
import torchvision
from detectron2.modeling import BACKBONE_REGISTRY

from igdet.checkpoint import find_weights
from igdet.formats.catalog import (
    HASHTAG_TEACHER,
    HASHTAGS,
    IMAGENET,
    IMAGENET_TEACHER,
    IMAGENET_V2,
    WEIGHTS,
    ZOO_KEYPOINTS,
    ZOO_MASKS,
)
from igdet.formats.errors import WeightsError
from igdet.formats.origin import TORCHVISION
from igdet.formats.published import ARTICLE, LATER, RESULTS
from igdet.modeling.origin import contradictions

# "Not published here": the documents that igdet's numbers come from have none for these.
WITHOUT_ACCURACY = {
    *("d2_msra_resnet50", "d2_msra_resnet101", "d2_torchvision_resnet50", "d2_fair_resnext101_32x8d"),
    *("d2_keypoint_resnet50_fpn_1x", "d2_keypoint_resnet50_fpn_3x", "d2_keypoint_resnet101_fpn_3x"),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_every_entry_is_complete(name):
    weights = WEIGHTS[name]
    publication = weights.publication
    assert weights.backbone in BACKBONE_REGISTRY
    assert weights.url.startswith("https://") and weights.url.endswith((".pth", ".pkl"))
    assert publication.licence and publication.source and publication.trained_on
    lengths = {"sha256": 8, "md5": 6, "": 0}
    assert len(weights.digits) == lengths[publication.algorithm]
    assert all(30 < value < 100 for value in weights.accuracy.values())
    assert bool(weights.accuracy) != (name in WITHOUT_ACCURACY)


def test_published_results_are_of_weights_or_of_networks_without_any():
    others = {name for name, result in RESULTS.items() if result.source in (ARTICLE, LATER)}
    assert {name for name in RESULTS if name not in WEIGHTS} == {*others, "swsl_resnext101_32x16d_as_published"}


def test_no_two_entries_share_a_file():
    assert len({weights.file_name for weights in WEIGHTS.values()}) == len(WEIGHTS)


@pytest.mark.parametrize(
    "name", [name for name, weights in WEIGHTS.items() if weights.publication in (IMAGENET, IMAGENET_V2)]
)
def test_torchvisions_are_as_torchvision_has_them(name):
    version = "IMAGENET1K_V2" if "_v2_" in name else "IMAGENET1K_V1"
    model = name.removeprefix("in1k_").removeprefix("v2_")
    theirs = torchvision.models.get_model_weights(model)[version]
    published = theirs.meta["_metrics"]["ImageNet-1K"]
    assert WEIGHTS[name].url == theirs.url
    assert WEIGHTS[name].accuracy == {"top-1": published["acc@1"], "top-5": published["acc@5"]}


# What timm calls the same publications.
TIMM_TAGS = {
    HASHTAGS: "fb_wsl_ig1b_ft_in1k",
    HASHTAG_TEACHER: "fb_swsl_ig1b_ft_in1k",
    IMAGENET_TEACHER: "fb_ssl_yfcc100m_ft_in1k",
    IMAGENET: "tv_in1k",
    IMAGENET_V2: "tv2_in1k",
}


@pytest.mark.parametrize(
    "name",
    # timm does not have the largest
    [n for n, weights in WEIGHTS.items() if weights.publication in TIMM_TAGS and n != "ig_resnext101_32x48d"],
)
def test_address_licence_and_images_are_as_timm_has_them(name):
    weights = WEIGHTS[name]
    network = name[name.index("resne") :]
    theirs = timm.get_pretrained_cfg(f"{network}.{TIMM_TAGS[weights.publication]}")
    assert weights.url == theirs.url
    assert weights.publication.licence.lower().replace(" ", "-") == theirs.license
    assert weights.origin == TORCHVISION
    assert theirs.mean == pytest.approx([value / 255 for value in TORCHVISION.pixel_mean])
    assert theirs.std == pytest.approx([value / 255 for value in TORCHVISION.pixel_std])


@pytest.mark.parametrize(
    "name", [name for name, weights in WEIGHTS.items() if weights.publication in (ZOO_MASKS, ZOO_KEYPOINTS)]
)
def test_the_zoos_are_as_detectron2_has_them(name):
    model_zoo = pytest.importorskip("detectron2.model_zoo")  # official main's needs pkg_resources, of older setuptools
    weights = WEIGHTS[name]
    config = f"{weights.publication.folder.rsplit('/', 1)[-1]}/{weights.file_name.split('/')[0]}.yaml"
    assert weights.url == model_zoo.get_checkpoint_url(config)
    cfg = model_zoo.get_config(config)
    assert contradictions(weights.origin, cfg) == []
    assert weights.backbone.startswith("X_101_32x8d") == (cfg.MODEL.RESNETS.NUM_GROUPS == 32)


def test_the_16d_teachers_bad_save_is_told():
    assert "bad save" in WEIGHTS["swsl_resnext101_32x16d"].note


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("igdet://ig_resnext101_32x8", "did you mean 'ig_resnext101_32x8d'?"),
        ("igdet://vit", "there are ig_resnext101_32x8d, ig_resnext101_32x16d"),
    ],
)
def test_unknown_names(path, hint):
    with pytest.raises(WeightsError, match=re.escape(hint)):
        find_weights(path)
