"""Nearest neighbours on frozen features: cosine similarity, votes weighted by exp(similarity / temperature).

Source: Wu et al. 2018 (arXiv 1805.01978); k is chosen on a held-out part of the training set.

Shapes: N training images, M images to answer for, D features, L classes, K the largest number of neighbours.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

BLOCK = 256  # images at a time: their similarities to 1.28M training images take 1.3 GB


def nearest(queries: Tensor, references: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The most similar references of each query; of equally similar ones, those that come first.

    Args:
        queries: float (M, D), of norm 1.
        references: float (N, D), of norm 1.
        k: 1..N.

    Returns:
        similarities (M, k), the largest first; rows of the references, int64 (M, k).
    """
    similarities = queries @ references.T
    # topk orders equal values as it likes, and otherwise on each device. So its rows are sorted first, then stably by
    # similarity: of equals the first reference comes first, everywhere.
    top = similarities.topk(k, dim=1)
    rows = top.indices.sort(1).values
    values, order = similarities.gather(1, rows).sort(dim=1, descending=True, stable=True)
    rows = rows.gather(1, order)
    # topk takes any of those that tie for the last place: there the whole row is sorted.
    tied = (similarities >= values[:, -1:]).sum(1) > k
    if tied.any():
        rows[tied] = similarities[tied].sort(dim=1, descending=True, stable=True).indices[:, :k]
    return values, rows


def vote(
    queries: np.ndarray,
    references: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    neighbours: Sequence[int],
    temperature: float,
) -> Iterator[tuple[slice, dict[int, Tensor]]]:
    """Let the nearest references vote for their classes, block by block of queries.

    Args:
        queries: float (M, D).
        references: float (N, D).
        labels: int64 (N,), of the references.
        num_classes: L.
        neighbours: numbers of neighbours, each 1..N.
        temperature: > 0.

    Yields:
        the queries' rows, and for each number of neighbours the classes' shares of the votes, float (block, L).
    """
    pool, classes = _unit(references), torch.from_numpy(labels)
    for start in range(0, len(queries), BLOCK):
        block = slice(start, min(start + BLOCK, len(queries)))
        similarities, rows = nearest(_unit(queries[block]), pool, max(neighbours))
        # w = exp(s / temperature), divided by that of the nearest: the shares are the same, and nothing overflows,
        # however low the temperature.
        weights = ((similarities - similarities[:, :1]) / temperature).double().exp()  # only ratios count
        shares = {}
        for k in neighbours:
            votes = weights.new_zeros(len(rows), num_classes)
            votes.scatter_add_(1, classes[rows[:, :k]], weights[:, :k])
            shares[k] = votes / votes.sum(1, keepdim=True)
        yield block, shares


def _unit(features: np.ndarray) -> Tensor:
    return functional.normalize(torch.from_numpy(np.array(features, dtype=np.float32)), dim=1)
