"""Whitening: what all pictures have in common says nothing about two being alike, and is taken out of the vectors.

Source: Jegou and Chum 2012, "Negative evidences and co-occurences in image retrieval", which the paper of R-MAC uses
too. Here the whole vectors are whitened, not those of regions, and it is learned from the pictures that are searched.
Shape shorthand: N vectors of D numbers, of which K are left.
"""

from typing import NamedTuple

import numpy as np

DIM = 256  # K: most numbers that are left; with more, noise is brought up to the size of the rest
_SAMPLE = 50_000  # vectors that it is learned from
_SAMPLES_A_NUMBER = 10  # with fewer, the small variances are those of the sample and not of pictures
_FEWEST = 160  # vectors: too few to tell, left as they are
_BLOCK = 65_536  # vectors at a time


class Whitening(NamedTuple):
    """Takes the mean off, turns to principal directions and scales each to a variance of 1.

    Attributes:
        mean: float32 (D,).
        projection: float32 (D, K).
    """

    mean: np.ndarray
    projection: np.ndarray

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """Whiten vectors, float (N, D) to float16 (N, K), of length 1."""
        whitened = np.empty((len(vectors), self.projection.shape[1]), np.float16)
        for start in range(0, len(vectors), _BLOCK):
            block = (vectors[start : start + _BLOCK].astype(np.float32) - self.mean) @ self.projection
            lengths = np.linalg.norm(block, axis=1, keepdims=True)
            whitened[start : start + _BLOCK] = block / np.maximum(lengths, np.finfo(np.float32).tiny)
        return whitened


def learn_whitening(vectors: np.ndarray) -> Whitening:
    """Learn from vectors, float (N, D), which may be a memory map; of fewer than 160 it is the identity."""
    count, dim = vectors.shape
    if count < _FEWEST:
        return Whitening(np.zeros(dim, np.float32), np.eye(dim, dtype=np.float32))
    rows = np.linspace(0, count - 1, min(count, _SAMPLE)).astype(np.int64)  # spread evenly: folders are sorted
    sample = vectors[rows].astype(np.float32)
    variances, directions = np.linalg.eigh(np.cov(sample, rowvar=False))  # ascending
    kept = min(DIM, dim, len(rows) // _SAMPLES_A_NUMBER)
    variances, directions = variances[-kept:], directions[:, -kept:]
    scales = 1 / np.sqrt(np.maximum(variances, 1e-6 * variances[-1]))  # dead channels have no variance
    return Whitening(sample.mean(axis=0), (directions * scales).astype(np.float32))
