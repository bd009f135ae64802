"""Hashtags of posts that nobody wrote: two of 17,000 labels a post, as unevenly used as people use them."""

import numpy as np

LABELS = 17_000


def draw_hashtags(posts: int, rng: np.random.Generator) -> np.ndarray:
    """Draw two different labels for each post, int32 (posts, 2), ascending: label i with a weight of 1 / (i + 1)."""
    cumulative = np.cumsum(1 / np.arange(1, LABELS + 1))
    ids = np.searchsorted(cumulative, rng.random((posts, 2)) * cumulative[-1]).astype(np.int32)
    ids[:, 1] = np.where(ids[:, 0] == ids[:, 1], (ids[:, 0] + 1) % LABELS, ids[:, 1])
    return np.sort(ids, axis=1)
