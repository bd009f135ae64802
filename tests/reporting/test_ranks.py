"""Ranks for plots and fits."""

import numpy as np
import pytest

from igdet.reporting.charts import POINTS, log_spaced_ranks


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_few_ranks_are_all_there(count):
    assert log_spaced_ranks(count).tolist() == list(range(1, count + 1))


def test_many_ranks_are_evenly_spaced_in_the_logarithm():
    ranks = log_spaced_ranks(10**6)
    assert (ranks[0], ranks[-1]) == (1, 10**6)
    assert len(ranks) <= POINTS
    tail = np.log10(ranks[ranks > 1000])
    assert np.allclose(np.diff(tail), 6 / (POINTS - 1), atol=1e-3)
