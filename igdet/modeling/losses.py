"""The hashtag loss: softmax cross-entropy against k equal targets, from sparse label ids.

Shapes: N images, L labels, K = sum of the images' numbers of hashtags k.
"""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from igdet.modeling.labels import KHotLabels

# Probabilities are worked out for a few rows at a time, which stay in the cache between the steps: 8 MiB are 123 rows
# of 17,000 float32. Fewer rows cost calls and threads waiting for each other (1 row: 1.8x the time), many more the way
# to memory (32 MiB, the size of the shared cache: 1.3x).
CHUNK_BYTES = 8 * 2**20


def khot_softmax_loss(logits: Tensor, labels: KHotLabels) -> Tensor:
    """Softmax cross-entropy against targets of 1/k on each of an image's k hashtags, averaged over images.

    With one label an image it is the usual cross-entropy. Source: Mahajan et al. 2018, arXiv 1805.00932, section 2.2.
    It can be differentiated once; where no gradient is wanted, none is worked out.

    Args:
        logits: float (N, L), left as they are; half precision is worked out in float32.
        labels: of the same N images, on the same device.

    Returns:
        float scalar, at least float32.

    Raises:
        ValueError: labels and logits are of different numbers of images.
    """
    if labels.num_images != len(logits):
        raise ValueError(f"there are labels for {labels.num_images} images, but logits for {len(logits)}")
    if torch.is_grad_enabled() and logits.requires_grad:
        return _KHotSoftmax.apply(logits, labels)
    return _loss(logits, labels)


class _KHotSoftmax(torch.autograd.Function):
    """Works the gradient out in the forward pass, where the probabilities are at hand: one buffer, of the logits' type.

    The backward pass gives that buffer away. Should the graph be kept for another pass, that one works it out again.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, labels: KHotLabels) -> Tensor:
        ctx.save_for_backward(logits)
        ctx.labels, ctx.gradient = labels, torch.empty_like(logits)
        return _loss(logits, labels, ctx.gradient)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad_output: Tensor) -> tuple[Tensor, None]:
        (logits,) = ctx.saved_tensors
        gradient, ctx.gradient = ctx.gradient, None
        if gradient is None:
            gradient = torch.empty_like(logits)
            _loss(logits, ctx.labels, gradient)
        return gradient.mul_(grad_output), None


def _loss(logits: Tensor, labels: KHotLabels, gradient: Tensor | None = None) -> Tensor:
    """Give the loss and write d loss / d logits = (softmax - target) / N into `gradient`, (N, L)."""
    rows, ids = labels.rows, labels.ids
    log_probs = logits[rows, ids] - _log_normalisers(logits, gradient)[rows]  # (K,)
    weights = (labels.sizes * len(logits)).to(log_probs.dtype).reciprocal()  # (K,): 1 / (k N)
    if gradient is not None:  # labels are distinct: no element is written twice
        gradient[rows, ids] = (log_probs.exp() / len(logits) - weights).to(gradient.dtype)
    return -(log_probs * weights).sum()


def _log_normalisers(logits: Tensor, gradient: Tensor | None) -> Tensor:
    """Give each row's log of its sum of exponentials, (N,), and write softmax / N into `gradient`, (N, L)."""
    dtype = torch.promote_types(logits.dtype, torch.float32)
    chunk = max(1, CHUNK_BYTES // (logits.shape[1] * dtype.itemsize))
    normalisers = []
    for start in range(0, len(logits), chunk):
        part = logits[start : start + chunk]
        probs = torch.softmax(part, dim=1, dtype=dtype)
        # The largest probability is exp(largest logit - normaliser) and at least 1 / L: its logarithm is always good.
        normalisers.append(part.amax(dim=1) - probs.amax(dim=1).log())
        if gradient is not None:
            torch.div(probs, len(logits), out=gradient[start : start + chunk])
    return torch.cat(normalisers)
