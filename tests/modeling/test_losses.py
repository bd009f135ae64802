"""The k-hot softmax loss against hand-worked numbers and PyTorch's dense cross-entropy."""

import itertools
import math

import pytest
import torch
from torch.nn import functional as F

from igdet.modeling import khot_softmax_loss


def dense_loss(logits, ids, offsets):
    """The definition: cross-entropy against a dense target of 1/k."""
    target = torch.zeros_like(logits)
    for row, (start, end) in enumerate(itertools.pairwise(offsets)):
        target[row].index_fill_(0, ids[start:end], 1 / len(ids[start:end]))
    return F.cross_entropy(logits, target)


@pytest.fixture
def batch():
    torch.manual_seed(0)
    logits = torch.randn(4, 9, dtype=torch.float64, requires_grad=True)
    return logits, torch.tensor([0, 3, 1, 2, 5, 6, 7]), torch.tensor([0, 2, 3, 6, 7])


def test_hand_worked():
    # softmax of (ln 1, ln 2, ln 5) is (1/8, 2/8, 5/8); hashtags 0 and 2 are meant, half each
    logits = torch.tensor([[1.0, 2.0, 5.0]]).log()
    loss = khot_softmax_loss(logits, torch.tensor([0, 2]), torch.tensor([0, 2]))
    assert loss.item() == pytest.approx(-(math.log(1 / 8) + math.log(5 / 8)) / 2)


def test_equals_dense_cross_entropy_with_gradient(batch):
    logits, ids, offsets = batch
    loss, expected = khot_softmax_loss(logits, ids, offsets), dense_loss(logits, ids, offsets)
    torch.testing.assert_close(loss, expected, rtol=0, atol=1e-12)
    ours, theirs = (torch.autograd.grad(value, logits)[0] for value in (loss, expected))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_gradcheck(batch):
    logits, ids, offsets = batch
    assert torch.autograd.gradcheck(lambda x: khot_softmax_loss(x, ids, offsets), logits)


def test_one_label_an_image_is_cross_entropy():
    logits, labels = torch.randn(5, 7), torch.tensor([6, 0, 3, 3, 1])
    torch.testing.assert_close(khot_softmax_loss(logits, labels, torch.arange(6)), F.cross_entropy(logits, labels))


def test_large_logits_stay_finite():
    logits = torch.tensor([[1e4, -1e4, 0.0]], requires_grad=True)
    loss = khot_softmax_loss(logits, torch.tensor([1]), torch.tensor([0, 1]))
    loss.backward()
    assert loss.item() == pytest.approx(2e4)
    assert torch.isfinite(logits.grad).all()


def test_half_precision_is_worked_out_in_float32():
    logits = torch.randn(3, 1000).to(torch.bfloat16).requires_grad_()
    ids, offsets = torch.tensor([4, 9, 17]), torch.arange(4)
    loss = khot_softmax_loss(logits, ids, offsets)
    loss.backward()
    assert loss.dtype == torch.float32 and logits.grad.dtype == torch.bfloat16
    torch.testing.assert_close(loss, dense_loss(logits.float(), ids, offsets))


def test_the_scale_of_a_weighted_sum_reaches_the_gradient(batch):
    logits, ids, offsets = batch
    once = torch.autograd.grad(khot_softmax_loss(logits, ids, offsets), logits)[0]
    thrice = torch.autograd.grad(3 * khot_softmax_loss(logits, ids, offsets), logits)[0]
    torch.testing.assert_close(thrice, 3 * once)


def test_an_image_without_labels_is_named():
    with pytest.raises(ValueError, match=r"images \[1\] of the batch have no label"):
        khot_softmax_loss(torch.randn(3, 4), torch.tensor([0, 1]), torch.tensor([0, 1, 1, 2]))


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="2 images and 2 labels, but there are logits for 3 images and 2 labels"):
        khot_softmax_loss(torch.randn(3, 4), torch.tensor([0, 1]), torch.tensor([0, 1, 2]))
