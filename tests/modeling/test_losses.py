"""The k-hot softmax loss against hand-worked numbers and PyTorch's dense cross-entropy."""

import math

import pytest
import torch
from torch.nn import functional as F

from igdet.modeling import KHotLabels, khot_softmax_loss
from igdet.modeling.losses import sigmoid_loss


def khot(labels, num_labels):
    return KHotLabels.of([torch.tensor(ids) for ids in labels], num_labels)


def dense_loss(logits, labels):
    """The definition: cross-entropy against a dense target of 1/k."""
    target = torch.zeros_like(logits)
    target[labels.rows, labels.ids] = 1 / labels.sizes.to(logits.dtype)
    return F.cross_entropy(logits, target)


def value_and_gradient(loss, logits, labels):
    value = loss(logits, labels)
    return value, torch.autograd.grad(value, logits)[0]


@pytest.fixture
def batch():
    torch.manual_seed(0)
    logits = torch.randn(4, 9, dtype=torch.float64, requires_grad=True)
    return logits, khot([[0, 3], [1], [2, 5, 6], [7]], 9)


def test_hand_worked():
    # softmax of (ln 1, ln 2, ln 5) is (1/8, 2/8, 5/8); hashtags 0 and 2 are meant, half each
    logits = torch.tensor([[1.0, 2.0, 5.0]]).log().requires_grad_()
    loss, gradient = value_and_gradient(khot_softmax_loss, logits, khot([[0, 2]], 3))
    assert loss.item() == pytest.approx(-(math.log(1 / 8) + math.log(5 / 8)) / 2)
    torch.testing.assert_close(gradient, torch.tensor([[1 / 8 - 1 / 2, 2 / 8, 5 / 8 - 1 / 2]]))


def test_equals_dense_cross_entropy_with_gradient(batch):
    ours, theirs = (value_and_gradient(loss, *batch) for loss in (khot_softmax_loss, dense_loss))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_float32_over_17000_labels_is_as_near_to_float64_as_pytorch_is():
    torch.manual_seed(0)
    logits = (3 * torch.randn(100, 17_000)).requires_grad_()
    labels = khot([torch.randperm(17_000)[: 1 + i % 4].tolist() for i in range(100)], 17_000)
    loss, gradient = value_and_gradient(khot_softmax_loss, logits, labels)
    expected = value_and_gradient(dense_loss, logits.detach().double().requires_grad_(), labels)
    assert loss.item() == pytest.approx(expected[0].item(), rel=1e-6)
    # PyTorch's softmax alone decides: it is off by 1.7e-6 of the largest gradient where the CPU has AVX2 only.
    _, pytorch = value_and_gradient(dense_loss, logits.detach().clone().requires_grad_(), labels)
    assert (gradient - expected[1]).abs().max() <= (pytorch - expected[1]).abs().max() + 1e-6 * expected[1].abs().max()


def test_gradcheck(batch):
    logits, labels = batch
    assert torch.autograd.gradcheck(lambda x: khot_softmax_loss(x, labels), logits)


def test_one_label_an_image_is_cross_entropy():
    logits, ids = torch.randn(5, 7), [6, 0, 3, 3, 1]
    expected = F.cross_entropy(logits, torch.tensor(ids))
    torch.testing.assert_close(khot_softmax_loss(logits, khot([[i] for i in ids], 7)), expected)


def test_large_logits_stay_finite():
    logits = torch.tensor([[1e4, -1e4, 0.0]], requires_grad=True)
    loss, gradient = value_and_gradient(khot_softmax_loss, logits, khot([[1]], 3))
    assert loss.item() == pytest.approx(2e4)
    assert gradient.tolist() == [[1, -1, 0]]


@pytest.mark.parametrize("value", [-math.inf, math.inf, math.nan])
@pytest.mark.parametrize("column", [0, 1], ids=["the label", "another"])
def test_logits_that_are_not_finite_give_what_cross_entropy_gives(value, column):
    logits = torch.zeros(2, 3)
    logits[1, column] = value
    logits.requires_grad_()
    ours = value_and_gradient(khot_softmax_loss, logits, khot([[0], [0]], 3))
    theirs = value_and_gradient(lambda x, _: F.cross_entropy(x, torch.tensor([0, 0])), logits, None)
    torch.testing.assert_close(ours, theirs, equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_worked_out_in_float32(dtype):
    logits = torch.randn(3, 1000).to(dtype).requires_grad_()
    labels = khot([[4], [9, 11], [17]], 1000)
    loss, gradient = value_and_gradient(khot_softmax_loss, logits, labels)
    expected = value_and_gradient(dense_loss, logits.detach().float().requires_grad_(), labels)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, expected[0])
    torch.testing.assert_close(gradient, expected[1].to(dtype))  # rounded once


def test_under_autocast_the_weights_get_the_gradient_of_float32():
    torch.manual_seed(0)
    layer, features, labels = torch.nn.Linear(16, 50), torch.randn(8, 16), khot([[i, i + 9] for i in range(8)], 50)
    expected = torch.autograd.grad(khot_softmax_loss(layer(features), labels), layer.weight)[0]
    with torch.autocast("cpu", torch.bfloat16):
        logits = layer(features)
        loss = khot_softmax_loss(logits, labels)
    assert (logits.dtype, loss.dtype) == (torch.bfloat16, torch.float32)
    loss.backward()
    torch.testing.assert_close(layer.weight.grad, expected, rtol=0.02, atol=0.01 * expected.abs().max().item())


def test_the_scale_of_a_weighted_sum_reaches_the_gradient(batch):
    logits, labels = batch
    once = torch.autograd.grad(khot_softmax_loss(logits, labels), logits)[0]
    thrice = torch.autograd.grad(3 * khot_softmax_loss(logits, labels), logits)[0]
    torch.testing.assert_close(thrice, 3 * once)


def test_a_kept_graph_gives_the_gradient_again(batch):
    logits, labels = batch
    loss = khot_softmax_loss(logits, labels)
    first, second = (torch.autograd.grad(factor * loss, logits, retain_graph=True)[0] for factor in (1, 2))
    torch.testing.assert_close(second, 2 * first)


def test_without_gradient_the_loss_is_the_same_and_the_logits_stay(batch):
    logits, labels = batch
    before = logits.detach().clone()
    expected = khot_softmax_loss(logits, labels)
    with torch.no_grad():
        found = khot_softmax_loss(logits, labels)
    assert not found.requires_grad and torch.equal(found, expected) and torch.equal(logits, before)


def test_a_mean_over_two_halves_is_the_whole():
    """What data parallelism counts on: equal shares of a batch, gradients averaged."""
    torch.manual_seed(0)
    logits, ids = torch.randn(4, 6, dtype=torch.float64, requires_grad=True), [[0, 1], [5], [2, 3, 4], [1]]
    whole = value_and_gradient(khot_softmax_loss, logits, khot(ids, 6))
    halves = sum(khot_softmax_loss(logits[i : i + 2], khot(ids[i : i + 2], 6)) for i in (0, 2)) / 2
    torch.testing.assert_close((halves, torch.autograd.grad(halves, logits)[0]), whole)


def test_another_number_of_images_is_named():
    with pytest.raises(ValueError, match="labels for 2 images, but logits for 3"):
        khot_softmax_loss(torch.randn(3, 4), khot([[0], [1]], 4))


def dense_logistic(logits, labels):
    """The definition: binary cross-entropy of every label, summed over labels, a mean over images."""
    target = torch.zeros_like(logits)
    target[labels.rows, labels.ids] = 1
    return F.binary_cross_entropy_with_logits(logits, target, reduction="sum") / len(logits)


def test_sigmoids_by_hand():
    # sigmoid of (ln 1, ln 3) is (1/2, 3/4); hashtag 1 is meant
    logits = torch.tensor([[1.0, 3.0]]).log().requires_grad_()
    loss, gradient = value_and_gradient(sigmoid_loss, logits, khot([[1]], 2))
    assert loss.item() == pytest.approx(-math.log(1 / 2) - math.log(3 / 4))
    torch.testing.assert_close(gradient, torch.tensor([[1 / 2, 3 / 4 - 1]]))


def test_sigmoids_equal_dense_binary_cross_entropy_with_gradient(batch):
    ours, theirs = (value_and_gradient(loss, *batch) for loss in (sigmoid_loss, dense_logistic))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    torch.autograd.gradcheck(lambda logits: sigmoid_loss(logits, batch[1]), batch[0])


def test_sigmoids_of_large_logits_are_finite():
    logits = torch.tensor([[1e4, -1e4]]).requires_grad_()
    loss, gradient = value_and_gradient(sigmoid_loss, logits, khot([[1]], 2))
    assert loss.item() == 2e4 and gradient.tolist() == [[1, -1]]
