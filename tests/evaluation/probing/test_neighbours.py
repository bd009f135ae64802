"""Nearest neighbours against scikit-learn's, and ties."""

import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier

from igdet.evaluation.probing import neighbours
from igdet.evaluation.probing.neighbours import nearest, vote


def votes(*args):
    return {k: np.concatenate([shares[k] for _, shares in blocks]) for blocks in [list(vote(*args))] for k in args[4]}


def test_votes_are_scikit_learns(monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", 7)
    rng = np.random.default_rng(0)
    references, queries = rng.normal(size=(60, 5)), rng.normal(size=(20, 5))
    labels = np.arange(60) % 4
    shares = votes(queries, references, labels, 4, [1, 5, 60], 0.07)
    for k, of_k in shares.items():
        peer = KNeighborsClassifier(k, weights=lambda d: np.exp((1 - d) / 0.07), metric="cosine")
        np.testing.assert_allclose(of_k, peer.fit(references, labels).predict_proba(queries), atol=1e-5)


def test_of_equally_similar_references_the_first_come_first():
    references = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    similarities, rows = nearest(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), references, 2)
    assert rows.tolist() == [[1, 2], [0, 1]]
    assert similarities.tolist() == [[1, 1], [1, 0]]


def test_features_of_zero_are_similar_to_nothing():
    [(_, shares)] = vote(np.zeros((1, 2)), np.eye(2), np.array([1, 0]), 2, [2], 0.07)
    assert shares[2].tolist() == [[0.5, 0.5]]
