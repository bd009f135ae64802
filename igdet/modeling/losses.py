"""The labels of a batch, checked on the host, and the hashtag losses: softmax against k equal targets, and sigmoids."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional


@dataclass(frozen=True)
class KHotLabels:
    """Targets of 1/k on each of an image's k labels; all others are 0 and not kept.

    Attributes:
        rows: int64 (K,): the image of each label, 0..N - 1.
        ids: int64 (K,): 0..L - 1, distinct within an image.
        sizes: int64 (K,): k of the label's image.
        num_images: N.
    """

    rows: Tensor
    ids: Tensor
    sizes: Tensor
    num_images: int

    @classmethod
    def of(cls, labels: list[Tensor], num_labels: int, device: torch.device | str = "cpu") -> "KHotLabels":
        """Check and flatten the labels of a batch. Nothing here waits for a GPU.

        Args:
            labels: for each image int64 (k,), on the host.
            num_labels: L.
            device: where the result goes.

        Raises:
            ValueError: an image has no label, one twice, or one outside 0..L - 1.
        """
        counts = torch.tensor([len(ids) for ids in labels])  # (N,)
        if (counts == 0).any():
            empty = (counts == 0).nonzero().flatten().tolist()
            raise ValueError(f"images {empty} of the batch have no label: every image needs at least one")
        rows, ids = torch.arange(len(labels)).repeat_interleave(counts), torch.cat(labels)
        _refuse(ids.lt(0) | ids.ge(num_labels), rows, ids, f"expected 0..{num_labels - 1}")
        _refuse(_repeated(rows * num_labels + ids), rows, ids, "which it has twice: labels must be distinct")
        rows, ids, sizes = (tensor.to(device, non_blocking=True) for tensor in (rows, ids, counts[rows]))
        return cls(rows, ids, sizes, num_images=len(labels))

    def repeated(self, times: int) -> "KHotLabels":
        """Return the labels with each image `times` times in a row, >= 1, as of N * times images."""
        if times == 1:
            return self
        copies = torch.arange(times, device=self.rows.device).repeat(len(self.rows))  # (K * times,)
        rows, ids, sizes = (column.repeat_interleave(times) for column in (self.rows, self.ids, self.sizes))
        return KHotLabels(rows * times + copies, ids, sizes, self.num_images * times)


def _repeated(values: Tensor) -> Tensor:
    """Which of the values, int64 (K,), have been seen before: bool (K,)."""
    ordered, order = values.sort(stable=True)
    repeated = torch.zeros(len(values), dtype=torch.bool)
    repeated[order[1:][ordered.diff() == 0]] = True
    return repeated


def _refuse(bad: Tensor, rows: Tensor, ids: Tensor, expected: str) -> None:
    if bad.any():
        row, label = int(rows[bad][0]), int(ids[bad][0])
        raise ValueError(f"image {row} of the batch has the label {label}, {expected}")


def khot_softmax_loss(logits: Tensor, labels: KHotLabels) -> Tensor:
    """Softmax cross-entropy against targets of 1/k on each of an image's k hashtags, averaged over images.

    With one label an image it is the usual cross-entropy. Source: Mahajan et al. 2018, arXiv 1805.00932, section 2.2.
    It can be differentiated once; where no gradient is wanted, none is kept.

    Args:
        logits: float (N, L), left as they are; half precision is computed in float32.
        labels: of the same N images, on the same device.

    Returns:
        Float scalar, at least float32.

    Raises:
        ValueError: labels and logits are of different numbers of images.
    """
    return _loss(logits, labels, _softmax)


def sigmoid_loss(logits: Tensor, labels: KHotLabels) -> Tensor:
    """Logistic loss of every label by itself, summed over labels and averaged over images.

    The paper found it significantly worse than the softmax (the authors' replies in public threads).

    Args, Returns and Raises as `khot_softmax_loss`.
    """
    return _loss(logits, labels, _sigmoid)


# Values of MODEL.CLASSIFIER.LOSS.
LOSSES: dict[str, Callable[[Tensor, KHotLabels], Tensor]] = {"softmax": khot_softmax_loss, "sigmoid": sigmoid_loss}
_Compute = Callable[[Tensor, KHotLabels], tuple[Tensor, Tensor]]  # logits, labels -> loss, d loss / d logits


def _loss(logits: Tensor, labels: KHotLabels, compute: _Compute) -> Tensor:
    if labels.num_images != len(logits):
        raise ValueError(f"there are labels for {labels.num_images} images, but logits for {len(logits)}")
    if torch.is_grad_enabled() and logits.requires_grad:
        return _LossWithGradient.apply(logits, labels, compute)
    return compute(logits, labels)[0]


class _LossWithGradient(torch.autograd.Function):
    """Computes the gradient in the forward pass, where the probabilities are at hand: one buffer, of the logits' type.

    The backward pass gives that buffer away. Should the graph be kept for another pass, that one computes it again.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: KHotLabels, compute: _Compute) -> Tensor:
        ctx.save_for_backward(logits)
        ctx.labels, ctx.compute = labels, compute
        loss, ctx.gradient = compute(logits, labels)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:
        (logits,) = ctx.saved_tensors
        gradient, ctx.gradient = ctx.gradient, None
        if gradient is None:
            _, gradient = ctx.compute(logits, ctx.labels)
        return gradient.mul_(grad_output), None, None


def _softmax(logits: Tensor, labels: KHotLabels) -> tuple[Tensor, Tensor]:
    """Return the loss, and d loss / d logits = (softmax - target) / N, (N, L), in the memory of the softmax."""
    rows, ids = labels.rows, labels.ids
    probs = torch.softmax(logits, dim=1, dtype=torch.promote_types(logits.dtype, torch.float32))  # (N, L)
    # loss = -1/N sum_i 1/k_i sum_(h of i) log p_ih, and log p = logit - normaliser with normaliser = log sum
    # exp(logits). The logarithm of a small probability would be inexact, or -inf; so the normaliser is had from the
    # largest one: that is exp(its logit - normaliser) and at least 1 / L, and its logarithm is always good.
    largest, place = probs.max(dim=1, keepdim=True)  # (N, 1)
    normalisers = (logits.gather(1, place) - largest.log()).flatten()  # (N,)
    log_probs = logits[rows, ids] - normalisers[rows]  # (K,)
    weights = (labels.sizes * len(logits)).to(log_probs.dtype).reciprocal()  # (K,): 1 / (k N)
    # d loss / d logit_ij = (p_ij - 1/k_i [j is a label of i]) / N, as the targets of an image sum to 1.
    gradient = probs.div_(len(logits))
    gradient[rows, ids] -= weights  # labels are distinct: no element is written twice
    return -(log_probs * weights).sum(), gradient.to(logits.dtype)


def _sigmoid(logits: Tensor, labels: KHotLabels) -> tuple[Tensor, Tensor]:
    """Return the loss, and d loss / d logits = (sigmoid - target) / N, (N, L), in the memory of the sigmoids.

    -log sigmoid(x) = softplus(x) - x on a label, -log(1 - sigmoid(x)) = softplus(x) elsewhere.
    """
    rows, ids = labels.rows, labels.ids
    exact = logits.to(torch.promote_types(logits.dtype, torch.float32))  # (N, L)
    loss = (functional.softplus(exact).sum() - exact[rows, ids].sum()) / len(logits)
    gradient = torch.sigmoid(exact).div_(len(logits))
    gradient[rows, ids] -= 1 / len(logits)  # labels are distinct: no element is written twice
    return loss, gradient.to(logits.dtype)
