"""Batch normalisation in groups of images, against PyTorch's on each group."""

import pytest
import torch
from torch import nn

from igdet.modeling.norms import GhostBatchNorm, choose_norm
from igdet.utils.yaml import ConfigError

LAYOUTS = [torch.contiguous_format, torch.channels_last]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_group_is_normalised_by_itself(layout):
    torch.manual_seed(0)
    features = torch.randn(6, 3, 4, 5).contiguous(memory_format=layout).requires_grad_()
    weights, norm = torch.randn(6, 3, 4, 5), GhostBatchNorm(3, norm_batch=2)
    found = norm(features)
    [gradient] = torch.autograd.grad((found * weights).sum(), features)
    references = [nn.BatchNorm2d(3) for _ in range(3)]
    expected = torch.cat([layer(part) for layer, part in zip(references, features.split(2), strict=True)])
    [expected_gradient] = torch.autograd.grad((expected * weights).sum(), features)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradient, expected_gradient)
    assert found.is_contiguous(memory_format=layout)
    for name in ("running_mean", "running_var"):  # what evaluation uses: the mean over the groups
        mean = torch.stack([getattr(layer, name) for layer in references]).mean(dim=0)
        torch.testing.assert_close(getattr(norm, name), mean)
    assert norm.num_batches_tracked == 1


def test_small_batches_and_evaluation_are_as_usual():
    torch.manual_seed(0)
    features, norm, plain = torch.randn(4, 3, 2, 2), GhostBatchNorm(3, norm_batch=4), nn.BatchNorm2d(3)
    assert torch.equal(norm(features), plain(features))
    torch.testing.assert_close(norm.eval()(features.repeat(3, 1, 1, 1)), plain.eval()(features.repeat(3, 1, 1, 1)))
    assert norm.state_dict().keys() == plain.state_dict().keys()


def test_groups_are_as_few_and_as_equal_as_can_be():
    norm = GhostBatchNorm(1, norm_batch=4)
    features = torch.randn(7, 1, 3, 3)  # groups of 4 and 3
    expected = torch.cat([nn.BatchNorm2d(1)(part) for part in features.split([4, 3])])
    torch.testing.assert_close(norm(features), expected)


def test_only_batch_norm_has_groups():
    assert choose_norm("SyncBN", 0) == "SyncBN"
    assert choose_norm("FrozenBN", 24) == "FrozenBN"
    assert choose_norm("BN", 24)(8).norm_batch == 24
    with pytest.raises(ConfigError, match=r"NORM_BATCH 24 .* that is SyncBN: set NORM_BATCH to 0"):
        choose_norm("SyncBN", 24)
