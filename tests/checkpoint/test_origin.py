"""What images weights expect, and configs that feed them something else."""

import pytest
import torch

from igdet.checkpoint.origin import recognise_origin
from igdet.formats.origin import FAIR_RESNEXT, MSRA, TORCHVISION
from igdet.modeling.origin import contradictions, origin_of_config

PLAIN = {"res2.0.conv2.weight": torch.ones(64, 64, 3, 3)}
GROUPED = {"res2.0.conv2.weight": torch.ones(256, 8, 3, 3)}
STATISTICS = {"stem.conv1.norm.running_mean": torch.zeros(64)}


@pytest.mark.parametrize(
    ("naming", "author", "trunk", "expected"),
    [
        ("torchvision", "", GROUPED, TORCHVISION),
        ("Detectron2", "torchvision", PLAIN | STATISTICS, TORCHVISION),
        ("Caffe2", "Caffe2", PLAIN | STATISTICS, MSRA),
        ("Caffe2", "", GROUPED | STATISTICS, FAIR_RESNEXT),
        ("Detectron2", "Detectron2 Model Zoo", GROUPED | STATISTICS, FAIR_RESNEXT),
        ("Detectron2", "", GROUPED | STATISTICS, None),
    ],
)
def test_recognised_by_names_author_and_tensors(naming, author, trunk, expected):
    assert recognise_origin(naming, author, trunk) == expected


def test_folded_norms_need_frozen_ones():
    folded = recognise_origin("Caffe2", "Caffe2", GROUPED)
    assert (folded.norm, folded.pixel_std, folded.stride_in_1x1) == ("FrozenBN", (1, 1, 1), False)
    assert recognise_origin("Caffe2 GN", "Caffe2", PLAIN).norm == "GN"


def test_a_config_that_fits(make_cfg):
    assert contradictions(TORCHVISION, make_cfg()) == []
    assert contradictions(origin_of_config(make_cfg()), make_cfg()) == []


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("INPUT.FORMAT", "BGR", "INPUT.FORMAT is BGR, but they need RGB"),
        (
            "MODEL.PIXEL_MEAN",
            [103.53, 116.28, 123.675],
            "MODEL.PIXEL_MEAN is [103.53, 116.28, 123.675], but they need [12",
        ),
        (
            "MODEL.PIXEL_STD",
            [1.0, 1.0, 1.0],
            "MODEL.PIXEL_STD is [1.0, 1.0, 1.0], but they need [58.395, 57.12, 57.375]",
        ),
        ("MODEL.PIXEL_STD", [57.375, 57.12, 58.395], "MODEL.PIXEL_STD"),
        ("MODEL.RESNETS.STRIDE_IN_1X1", True, "MODEL.RESNETS.STRIDE_IN_1X1 is True, but they need False"),
    ],
)
def test_each_contradiction_is_named(key, value, said, make_cfg):
    cfg = make_cfg()
    cfg.merge_from_list(["MODEL.BACKBONE.NAME", "build_resnet_backbone", key, value])  # igdet's stride in the 3x3
    (line,) = contradictions(TORCHVISION, cfg)
    assert line.startswith(said)


def test_detectron2s_own_weights_contradict_in_all_ways(make_cfg):
    assert len(contradictions(FAIR_RESNEXT, make_cfg())) == 3
    assert len(contradictions(recognise_origin("Caffe2", "Caffe2", PLAIN), make_cfg())) == 5
