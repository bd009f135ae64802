"""The hashtag loss: softmax cross-entropy against k equal targets, from sparse label ids.

Shapes: N images, L labels, K = sum of the images' numbers of hashtags k.
"""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable


def khot_softmax_loss(logits: Tensor, ids: Tensor, offsets: Tensor) -> Tensor:
    """Softmax cross-entropy against targets of 1/k on each of an image's k hashtags, averaged over images.

    With one label an image it is the usual cross-entropy. Source: Mahajan et al. 2018, arXiv 1805.00932, section 2.2.

    Args:
        logits: float (N, L); half precision is worked out in float32.
        ids: int64 (K,): all images' label ids, 0..L - 1, one image after the other, distinct within an image.
        offsets: int64 (N + 1,): image i has ids[offsets[i]:offsets[i + 1]].

    Returns:
        float scalar, at least float32.

    Raises:
        ValueError: an image has no label, or the shapes do not fit.
    """
    counts = offsets.diff()  # (N,)
    if len(counts) != len(logits) or offsets[-1] != len(ids):
        raise ValueError(
            f"offsets describe {len(counts)} images and {int(offsets[-1])} labels, "
            f"but there are logits for {len(logits)} images and {len(ids)} labels"
        )
    if (counts < 1).any():
        empty = (counts < 1).nonzero().flatten().tolist()
        raise ValueError(f"images {empty} of the batch have no label: every image needs at least one")
    return _KHotSoftmax.apply(logits, ids, counts)


class _KHotSoftmax(torch.autograd.Function):
    """Keeps one (N, L) buffer, the log-softmax, where plain autograd over a dense target keeps three."""

    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, ids: Tensor, counts: Tensor) -> Tensor:
        rows = torch.repeat_interleave(torch.arange(len(counts), device=ids.device), counts)  # (K,)
        log_probs = torch.log_softmax(logits, dim=1, dtype=_working_dtype(logits))  # (N, L)
        weights = (1.0 / (counts * len(counts)).to(log_probs.dtype))[rows]  # (K,): 1 / (k N)
        ctx.save_for_backward(log_probs, ids, rows, weights)
        ctx.logits_dtype = logits.dtype
        return -(log_probs[rows, ids] * weights).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad_output: Tensor) -> tuple[Tensor, None, None]:
        # d loss / d logits = (softmax - target) / N
        log_probs, ids, rows, weights = ctx.saved_tensors
        grad = log_probs.exp().div_(len(log_probs))
        grad.index_put_((rows, ids), -weights, accumulate=True)
        return grad.mul_(grad_output).to(ctx.logits_dtype), None, None


def _working_dtype(logits: Tensor) -> torch.dtype:
    return torch.promote_types(logits.dtype, torch.float32)
