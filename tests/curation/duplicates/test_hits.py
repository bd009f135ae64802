"""Pairs of rows."""

import numpy as np

from igdet.curation.duplicates.hamming import Hits, join


def hits(*rows):
    queries, matches, scores = zip(*rows, strict=True)
    return Hits(np.array(queries), np.array(matches), np.array(scores, np.float32))


def as_rows(found):
    return list(zip(found.queries.tolist(), found.matches.tolist(), found.scores.tolist(), strict=True))


def test_within_a_set_each_pair_stands_once_with_its_best_score():
    found = hits((0, 0, 1), (2, 1, 0.5), (1, 2, 0.75), (0, 2, 0.25)).within()
    assert as_rows(found) == [(0, 2, 0.25), (1, 2, 0.75)]


def test_the_best_score_of_each_pair_counts_between_sets():
    assert as_rows(hits((1, 0, 0.5), (0, 1, 0.25), (1, 0, 0.75)).best()) == [(0, 1, 0.25), (1, 0, 0.75)]


def test_searches_without_hits_join_to_none():
    assert as_rows(join([])) == []
    assert as_rows(join([hits((1, 2, 0.5)), hits((3, 4, 1))])) == [(1, 2, 0.5), (3, 4, 1)]
