"""The hashtag loss: softmax cross-entropy against k equal targets, from sparse label ids.

Shapes: N images, L labels, K = sum of the images' numbers of hashtags k.
"""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from igdet.modeling.labels import KHotLabels


def khot_softmax_loss(logits: Tensor, labels: KHotLabels) -> Tensor:
    """Softmax cross-entropy against targets of 1/k on each of an image's k hashtags, averaged over images.

    With one label an image it is the usual cross-entropy. Source: Mahajan et al. 2018, arXiv 1805.00932, section 2.2.
    It can be differentiated once; where no gradient is wanted, none is kept.

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
    return _loss_and_gradient(logits, labels)[0]


class _KHotSoftmax(torch.autograd.Function):
    """Works the gradient out in the forward pass, where the probabilities are at hand: one buffer, of the logits' type.

    The backward pass gives that buffer away. Should the graph be kept for another pass, that one works it out again.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, labels: KHotLabels) -> Tensor:
        ctx.save_for_backward(logits)
        ctx.labels = labels
        loss, ctx.gradient = _loss_and_gradient(logits, labels)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad_output: Tensor) -> tuple[Tensor, None]:
        (logits,) = ctx.saved_tensors
        gradient, ctx.gradient = ctx.gradient, None
        if gradient is None:
            _, gradient = _loss_and_gradient(logits, ctx.labels)
        return gradient.mul_(grad_output), None


def _loss_and_gradient(logits: Tensor, labels: KHotLabels) -> tuple[Tensor, Tensor]:
    """Give the loss, and d loss / d logits = (softmax - target) / N, (N, L), in the memory of the softmax."""
    rows, ids = labels.rows, labels.ids
    probs = torch.softmax(logits, dim=1, dtype=torch.promote_types(logits.dtype, torch.float32))  # (N, L)
    # The largest probability is exp(its logit - normaliser) and at least 1 / L: its logarithm is always good.
    largest, place = probs.max(dim=1, keepdim=True)  # (N, 1)
    normalisers = (logits.gather(1, place) - largest.log()).flatten()  # (N,)
    log_probs = logits[rows, ids] - normalisers[rows]  # (K,)
    weights = (labels.sizes * len(logits)).to(log_probs.dtype).reciprocal()  # (K,): 1 / (k N)
    gradient = probs.div_(len(logits))
    gradient[rows, ids] -= weights  # labels are distinct: no element is written twice
    return -(log_probs * weights).sum(), gradient.to(logits.dtype)
