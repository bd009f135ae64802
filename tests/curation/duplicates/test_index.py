"""Nearest neighbours among vectors."""

import faiss
import numpy as np
import pytest

from igdet.curation.duplicates.index import build, compressed, flat, inverted, plan, search

# 10 million vectors of 256 numbers, by hand.
LISTS = 16_384  # 4 * sqrt(10^7) = 12,649, the next power of two
CODES = 10_000_000 * (64 + 8)
FIXED = 4 * (256 * 256 + 256 * 256 + LISTS * 256 + 256 * 256)  # projection, covariance, lists, centroids of the parts
TABLE = 4 * LISTS * 64 * 256  # 1.07 GB, below faiss's limit of 2 GiB


def unit_vectors(count: int, dim: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_ten_million_vectors_fit_one_machine():
    layout = plan(10_000_000, 256)
    assert layout.factory == "PCAR256,IVF16384,PQ64np"
    assert layout.vectors_bytes == 5_120_000_000
    assert layout.index_bytes == CODES + FIXED + TABLE
    assert layout.training_bytes == 3 * 4 * 40 * LISTS * 256
    assert layout.memory_bytes == pytest.approx(9.0e9, rel=0.01)  # 5.12 + 1.81 + 2.01 + a block of 0.07 GB


def test_the_table_of_distances_is_left_out_where_faiss_leaves_it_out():
    layout = plan(100_000_000, 256)
    assert layout.lists == 65_536
    assert layout.index_bytes == 100_000_000 * 72 + 4 * (3 * 256 * 256 + 65_536 * 256)


@pytest.mark.parametrize(
    ("count", "factory"),
    [(0, "Flat"), (100_000, "Flat"), (100_001, "IVF2048,SQ8"), (1_000_001, "PCAR256,IVF4096,PQ64np")],
)
def test_the_index_goes_by_the_number_of_vectors(count, factory):
    assert plan(count, 512).factory == factory


@pytest.mark.parametrize("layout", [flat, inverted, compressed])
def test_the_planned_size_is_that_of_the_index(layout):
    count, dim = 4000, 32
    index = build(layout(count, dim), unit_vectors(count, dim))
    table = 4 * 256 * 8 * 256 if layout is compressed else 0  # faiss does not write it, but works it out again
    assert faiss.serialize_index(index).nbytes + table == pytest.approx(layout(count, dim).index_bytes, rel=0.02)


@pytest.mark.parametrize("layout", [flat, inverted, compressed])
def test_planted_neighbours_come_first_with_their_exact_cosine(layout):
    vectors = unit_vectors(3000, 32)
    queries = vectors[::100] + 0.2 * unit_vectors(30, 32, seed=1)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    vectors = vectors.astype(np.float16)  # as they are stored
    found = search(build(layout(3000, 32), vectors), vectors, queries, k=5)
    assert found.queries.tolist() == np.repeat(np.arange(30), 5).tolist()
    assert found.matches[::5].tolist() == list(range(0, 3000, 100))
    assert np.allclose(found.scores, (queries[found.queries] * vectors[found.matches]).sum(axis=1), atol=1e-6)
    assert (np.diff(found.scores.reshape(30, 5), axis=1) <= 0).all()


def test_an_exact_index_finds_what_sorting_all_cosines_finds():
    vectors, queries = unit_vectors(200, 16), unit_vectors(7, 16, seed=1)
    found = search(build(flat(200, 16), vectors), vectors, queries, k=21)
    assert (found.matches.reshape(7, 21) == np.argsort(-queries @ vectors.T, axis=1)[:, :21]).all()


def test_fewer_vectors_than_neighbours_are_all_found():
    vectors = unit_vectors(3, 8)
    found = search(build(plan(3, 8), vectors), vectors, vectors[:1], k=21)
    assert sorted(found.matches.tolist()) == [0, 1, 2]


def test_neighbours_below_the_smallest_score_are_left_out_and_those_at_it_stay():
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32)
    index = build(flat(3, 2), vectors)
    assert search(index, vectors, vectors[:1], k=3, min_score=0.6).matches.tolist() == [0, 1]
    assert search(index, vectors, vectors[:1], k=3, min_score=0.61).matches.tolist() == [0]


def test_among_no_vectors_there_are_no_neighbours():
    none, one = np.empty((0, 8), np.float32), unit_vectors(1, 8)
    assert len(search(build(plan(0, 8), none), none, one, k=21).scores) == 0
    assert len(search(build(plan(1, 8), one), one, none, k=21).scores) == 0


def test_all_gpus_are_used_where_there_are_any(monkeypatch):
    taken = []
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 2)
    monkeypatch.setattr(faiss, "GpuMultipleClonerOptions", lambda: type("Options", (), {})(), raising=False)
    monkeypatch.setattr(
        faiss,
        "index_cpu_to_all_gpus",
        lambda index, co: taken.append((index.ntotal, co.useFloat16)) or index,
        raising=False,
    )
    assert build(flat(10, 8), unit_vectors(10, 8)).ntotal == 10
    assert taken == [(0, True)]  # before the vectors are added: one GPU's memory may be all that holds them
