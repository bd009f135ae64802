"""Nearest neighbours among feature vectors: an index chosen by size, and what it takes of memory.

Shape shorthand: N vectors of D numbers, Q queries, k neighbours. Vectors have length 1, so that a smaller Euclidean
distance is a larger cosine; the index proposes candidates, whose cosine is then computed exactly.
"""

import math
from dataclasses import dataclass

import faiss
import numpy as np

from igdet.curation.duplicates.hamming import Hits, join

_FLAT_TO = 100_000  # vectors that are compared one by one: 0.8 GB of 2,048 numbers
_INVERTED_TO = 1_000_000  # vectors kept whole, a byte a number: 2 GB of 2,048 numbers
_SAMPLE_PER_LIST = 40  # faiss asks for 39 points a centroid at least
_PROBED = 64  # lists looked through for each query
_CODE = 64  # bytes of a compressed vector: the most that faiss's GPU search takes at any precision of its tables
_CANDIDATES = 2  # times k: proposed, then compared exactly
_QUERIES = 1024  # at a time
_BLOCK = 65_536  # vectors brought to float32 at a time


@dataclass(frozen=True)
class Plan:
    """How N vectors are indexed.

    Attributes:
        count: N.
        dim: D.
        factory: the index in the words of faiss's index factory.
        lists: inverted lists; 0 for none.
        index_bytes: memory that the index takes when it is full.
    """

    count: int
    dim: int
    factory: str
    lists: int
    index_bytes: int

    @property
    def sample(self) -> int:
        """Number of vectors that the index is trained on."""
        return min(self.count, _SAMPLE_PER_LIST * self.lists)

    @property
    def training_bytes(self) -> int:
        """Memory for that sample, a copy of it and its projection, in float32; freed before the vectors are added."""
        return 3 * 4 * self.sample * self.dim

    @property
    def memory_bytes(self) -> int:
        """The most memory in use: all of this, and a block of vectors; with a million it was 1.48 GB, planned 1.43."""
        return self.vectors_bytes + self.index_bytes + self.training_bytes + 4 * min(self.count, _BLOCK) * self.dim

    @property
    def vectors_bytes(self) -> int:
        """Memory of the vectors, in float16."""
        return 2 * self.count * self.dim


def plan(count: int, dim: int) -> Plan:
    """Choose the index by the number of vectors.

    Args:
        count: N, >= 0.
        dim: D, >= 1.
    """
    if count <= _FLAT_TO:
        return flat(count, dim)
    return inverted(count, dim) if count <= _INVERTED_TO else compressed(count, dim)


def flat(count: int, dim: int) -> Plan:
    """Plan to compare with every vector: 4 D bytes each."""
    return Plan(count, dim, "Flat", 0, 4 * dim * count)


def inverted(count: int, dim: int) -> Plan:
    """Plan inverted lists of vectors with a byte a number: D + 8 bytes each, and the centroids."""
    lists = _lists(count)
    return Plan(count, dim, f"IVF{lists},SQ8", lists, (dim + 8) * count + 4 * dim * (lists + 2))


def compressed(count: int, dim: int) -> Plan:
    """Plan inverted lists of product-quantised vectors: M bytes for the code and 8 for the number of each.

    Beside these: the projection to P = 4 M numbers and its covariance, the centroids of the lists, the 256 centroids of
    each of the M parts, and, as far as faiss allows it 2 GiB, its table of the distances between both.
    """
    lists, code = _lists(count), min(_CODE, dim // 4)
    projected = 4 * code
    fixed = 4 * (dim * projected + dim * dim + lists * projected + 256 * projected)
    table = 4 * lists * code * 256
    size = (code + 8) * count + fixed + (table if table <= 2**31 else 0)
    factory = f"PCAR{projected},IVF{lists},PQ{code}np"  # np: no training for Hamming filters, which are not used
    return Plan(count, dim, factory, lists, size)


def _lists(count: int) -> int:
    """faiss's advice is 4 to 16 times the square root of N; a power of two."""
    return 2 ** math.ceil(math.log2(4 * math.sqrt(count)))


def build(layout: Plan, vectors: np.ndarray) -> faiss.Index:
    """Build an index, on all GPUs that faiss sees.

    Args:
        layout: a plan for these vectors.
        vectors: float (N, D), of length 1.
    """
    index = faiss.index_factory(layout.dim, layout.factory, faiss.METRIC_L2)
    if layout.lists:
        faiss.extract_index_ivf(index).nprobe = min(_PROBED, layout.lists)
        rows = np.linspace(0, len(vectors) - 1, layout.sample).astype(np.int64)  # spread evenly: folders are sorted
        index.train(_float32(vectors[rows]))
    if faiss.get_num_gpus():
        options = faiss.GpuMultipleClonerOptions()
        options.useFloat16 = True  # tables of 64-byte codes do not fit a GPU's shared memory in float32
        index = faiss.index_cpu_to_all_gpus(index, co=options)
    for start in range(0, len(vectors), _BLOCK):
        index.add(_float32(vectors[start : start + _BLOCK]))
    return index


def search(index: faiss.Index, vectors: np.ndarray, queries: np.ndarray, k: int, min_score: float = -1.0) -> Hits:
    """Find the k nearest vectors of each query.

    Args:
        index: of the vectors.
        vectors: float (N, D), of length 1.
        queries: float (Q, D), of length 1.
        k: neighbours, >= 1; fewer are found where there are fewer.
        min_score: cosine, -1..1; neighbours with a smaller one are left out.

    Returns:
        The pairs, with the cosine as score, best first for each query.
    """
    parts = []
    for start in range(0, len(queries), _QUERIES):
        block = _float32(queries[start : start + _QUERIES])
        # The index ranks by compressed vectors. Twice as many as wanted are ranked again by the vectors themselves, so
        # that an error of the code costs a neighbour only where it throws it behind the 2k-th place.
        _, found = index.search(block, _CANDIDATES * k)  # (Q, 2k); -1 where there is none
        cosines = np.full(found.shape, -np.inf, np.float32)
        for i, rows in enumerate(found):
            cosines[i, rows >= 0] = _float32(vectors[rows[rows >= 0]]) @ block[i]
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
        matches, scores = (np.take_along_axis(values, order, axis=1) for values in (found, cosines))
        rows = np.broadcast_to(np.arange(start, start + len(block))[:, None], matches.shape)
        hits = Hits(rows.ravel(), matches.ravel(), scores.ravel())
        parts.append(hits.where((hits.matches >= 0) & (hits.scores >= np.float32(min_score))))
    return join(parts)


def _float32(vectors: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(vectors, dtype=np.float32)
