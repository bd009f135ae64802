"""Names of tensors: torchvision's, timm's, Caffe2's and Detectron2's against each other."""

import pytest
import timm
import torch
import torchvision

from igdet.checkpoint.names import bare_name, is_classifier, is_counter, to_bare, with_statistics
from igdet.formats.errors import WeightsError
from igdet.modeling import FAMILY, build_resnext
from igdet.modeling.resnet_names import to_torchvision


def shapes(tensors):
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


@pytest.mark.parametrize("build", [torchvision.models.resnext50_32x4d, lambda: timm.create_model("resnext50_32x4d")])
def test_the_trunk_of_torchvision_and_timm_is_ours_name_by_name(build):
    with torch.device("meta"):
        peer, ours = build().state_dict(), build_resnext(FAMILY["X_50_32x4d"]).state_dict()
    naming, bare = to_bare(peer)
    assert naming == "torchvision"
    assert shapes({name: t for name, t in bare.items() if not is_classifier(name)}) == shapes(ours)
    assert shapes({name: t for name, t in bare.items() if is_classifier(name)}) == {
        "classifier.weight": (1000, 2048),
        "classifier.bias": (1000,),
    }


def test_renaming_there_and_back_changes_nothing():
    with torch.device("meta"):
        peer = torchvision.models.resnet18().state_dict()
    _, bare = to_bare(peer)
    back = to_torchvision(bare)
    assert list(back) == list(peer)
    assert all(back[name] is peer[name] for name in peer)


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("backbone.stem.conv1.weight", "stem.conv1.weight"),
        ("backbone.bottom_up.res2.0.conv1.norm.bias", "res2.0.conv1.norm.bias"),
        ("roi_heads.res5.2.shortcut.weight", "res5.2.shortcut.weight"),
        ("res5.2.shortcut.weight", "res5.2.shortcut.weight"),
        ("backbone.fpn_lateral2.weight", "backbone.fpn_lateral2.weight"),
        ("roi_heads.box_head.fc1.weight", "roi_heads.box_head.fc1.weight"),
        ("stem.fc.bias", "classifier.bias"),
        ("linear.weight", "classifier.weight"),
        ("classifier.weight", "classifier.weight"),
    ],
)
def test_bare_names(name, bare):
    assert bare_name(name) == bare


def test_a_tensor_that_no_resnet_has_is_named():
    with pytest.raises(WeightsError, match=r"a ResNet has no layer1\.0\.se\.fc1\.weight"):
        to_bare({"layer1.0.conv1.weight": torch.ones(1), "layer1.0.se.fc1.weight": torch.ones(1)})


def test_a_detectors_heads_have_no_torchvision_name():
    with pytest.raises(WeightsError, match=r"roi_heads\.box_head\.fc1\.weight"):
        to_torchvision({"roi_heads.box_head.fc1.weight": torch.ones(1)})


def test_caffe2_names_and_folded_norms():
    one = torch.ones(2)
    names = ("conv1_w", "conv1_b", "res_conv1_bn_s", "res_conv1_bn_b", "res2_0_branch1_w", "res2_0_branch2c_bn_s")
    naming, bare = to_bare({name: one * i for i, name in enumerate((*names, "fc1000_w", "fc1000_w_momentum"))})
    assert naming == "Caffe2"
    assert {name: tensor[0].item() for name, tensor in bare.items()} == {
        "stem.conv1.weight": 0,
        "conv1_b": 1,  # a bias that Detectron2 does not use
        "stem.conv1.norm.weight": 2,
        "stem.conv1.norm.bias": 3,
        "res2.0.shortcut.weight": 4,
        "res2.0.conv3.norm.weight": 5,
        "classifier.weight": 6,
    }
    complete = with_statistics(bare)
    assert complete["stem.conv1.norm.running_mean"].tolist() == [0, 0]
    assert complete["res2.0.conv3.norm.running_var"].tolist() == [1, 1]
    assert len(complete) == len(bare) + 4


def test_counters():
    assert is_counter("stem.conv1.norm.num_batches_tracked")
    assert not is_counter("stem.conv1.norm.running_mean")
