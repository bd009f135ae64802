"""Poolings against values worked out by hand and PyTorch's own functions."""

import math

import pytest
import torch
from torch.nn import functional

from igdet.config.check import VALUES
from igdet.modeling.losses import KHotLabels, khot_softmax_loss
from igdet.modeling.pooling import POOLINGS, LogSumExpPooling

MAPS = torch.tensor([[[[0.0, 1.0], [2.0, 5.0]]], [[[1.0, 1.0], [1.0, 1.0]]]])  # N 2, C 1, 2 x 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mean", [2.0, 1.0]),
        # 1/5 log((e^0 + e^5 + e^10 + e^25) / 4); of equal cells the cell itself.
        ("logsumexp", [math.log((1 + math.exp(5) + math.exp(10) + math.exp(25)) / 4) / 5, 1.0]),
        ("attention", [2.0, 1.0]),  # begins as the mean
        ("max_grid", [2.0, 1.0]),  # the maxima of single cells
        ("dense", [2.0, 1.0]),
    ],
)
def test_values_by_hand(name, expected):
    pooled = POOLINGS[name](1).eval()(MAPS)
    torch.testing.assert_close(pooled, torch.tensor(expected)[:, None])


@pytest.mark.parametrize("name", POOLINGS)
def test_maps_of_any_shape_give_a_vector_of_their_channels(name):
    maps = torch.rand(3, 8, 5, 7)
    assert POOLINGS[name](8).eval()(maps).shape == (3, 8)


def test_configs_can_name_each():
    assert all(VALUES["MODEL.CLASSIFIER.POOLING"].accepts(name) for name in POOLINGS)


def test_log_sum_exp_lies_between_mean_and_maximum_and_does_not_overflow():
    maps = torch.rand(4, 3, 6, 6, dtype=torch.float64) * 200
    pooling = LogSumExpPooling(3)
    pooled = pooling(maps)
    assert (pooled <= maps.amax((2, 3))).all() and (pooled >= maps.mean((2, 3))).all()
    pooling.sharpness = torch.tensor(1e-6)
    torch.testing.assert_close(pooling(maps / 200), (maps / 200).mean((2, 3)), atol=1e-5, rtol=0)


def test_attention_weighs_cells_by_their_score():
    pooling = POOLINGS["attention"](1)
    with torch.no_grad():
        pooling.score.weight.fill_(1.0)
    weights = torch.softmax(torch.tensor([0.0, 1.0, 2.0, 5.0]), 0)
    expected = (weights * torch.tensor([0.0, 1.0, 2.0, 5.0])).sum()
    torch.testing.assert_close(pooling(MAPS)[0, 0], expected)


def test_the_grid_of_maxima_by_hand():
    maps = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert POOLINGS["max_grid"](1)(maps).item() == (5 + 7 + 13 + 15) / 4


def test_dense_pooling_gives_every_cell_in_training_image_by_image():
    maps = torch.rand(2, 3, 4, 5)
    cells = POOLINGS["dense"](3)(maps)
    assert cells.shape == (40, 3)
    torch.testing.assert_close(cells[20 + 7], maps[1, :, 1, 2])


def test_repeated_labels_are_those_of_each_image_in_a_row():
    labels = KHotLabels.of([torch.tensor([0, 3]), torch.tensor([2])], 4)
    repeated = labels.repeated(3)
    again = KHotLabels.of([torch.tensor([0, 3])] * 3 + [torch.tensor([2])] * 3, 4)
    assert repeated.num_images == 6
    pairs = [sorted(zip(of.rows.tolist(), of.ids.tolist(), of.sizes.tolist(), strict=True)) for of in (repeated, again)]
    assert pairs[0] == pairs[1]
    assert labels.repeated(1) is labels


def test_the_dense_loss_is_the_mean_over_the_cells():
    torch.manual_seed(0)
    logits = torch.randn(2, 4, 6)  # of 4 cells of 2 images
    labels = [torch.tensor([0, 3]), torch.tensor([2])]
    targets = torch.tensor([[0.5, 0, 0, 0.5, 0, 0], [0, 0, 1.0, 0, 0, 0]]).repeat_interleave(4, dim=0)
    found = khot_softmax_loss(logits.flatten(0, 1), KHotLabels.of(labels, 6).repeated(4))
    torch.testing.assert_close(found, functional.cross_entropy(logits.flatten(0, 1), targets))
