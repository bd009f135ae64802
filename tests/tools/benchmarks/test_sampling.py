"""The measurements of sampling, small: what is measured is what it is said to be."""

import sys
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).resolve().parents[3] / "tools/benchmarks"


@pytest.fixture
def tools(monkeypatch):
    """The modules of tools/benchmarks import each other by their plain names, as scripts do."""
    monkeypatch.syspath_prepend(TOOLS)
    for name in ("generated_hashtags", "shuffle_ways", "sampling_shuffle", "sampling_ways", "sampling"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_hashtags_are_two_and_unevenly_used(tools):
    from generated_hashtags import LABELS, draw_hashtags

    ids = draw_hashtags(200_000, np.random.default_rng(0))
    assert (ids[:, 0] < ids[:, 1]).all() and ids.min() == 0 and ids.max() < LABELS
    counts = np.bincount(ids.ravel(), minlength=LABELS)
    assert counts[0] / counts[9] == pytest.approx(10, rel=0.15)


def test_a_perfect_and_a_bad_shuffle_are_told_apart(tools):
    from sampling_shuffle import measure

    posts, size = 25_600, 256
    ids = np.arange(posts)[:, None] // size  # a label a shard
    rng = np.random.default_rng(0)
    good, bad = measure(rng.permutation(posts), ids, size), measure(np.arange(posts), ids, size)
    assert bad.same_shard == 1 and bad.entropy == 0 and bad.displacement == pytest.approx(0, abs=1e-9)
    assert good.same_shard == pytest.approx(0.01, abs=0.001) and good.displacement == pytest.approx(1 / 3, abs=0.01)
    assert 5.5 < good.entropy < np.log2(100)
    twice = np.concatenate([np.arange(posts), np.arange(posts)])
    assert measure(twice, ids, size).repeats == 0  # further apart than the window
    assert measure(np.repeat(np.arange(posts), 2), ids, size).repeats == 0.5


@pytest.mark.parametrize("resampling", ["natural", "square_root"])
def test_every_way_shows_the_same_posts(tools, resampling):
    from generated_hashtags import draw_hashtags
    from shuffle_ways import WAYS

    from igdet.data.draws.epoch import plan_epoch, use_labels

    ids = draw_hashtags(32_768, np.random.default_rng(0))  # a multiple of what the readers take in turn
    plan = plan_epoch(use_labels(np.arange(0, ids.size + 1, 2), ids.ravel()), resampling, 2.0)
    for name, way in WAYS.items():
        order = way(ids, plan, 1024, 0)
        counts = np.bincount(order, minlength=len(ids))
        if resampling == "natural":  # with several passes, one reader is ahead of another when the epoch ends
            assert np.mean(counts == 1) > 0.98 if "passes" in name else (counts == 1).all()
        else:
            assert np.corrcoef(counts, plan.factors[plan.rarest])[0, 1] > 0.95


def test_plans_draws_and_indexes_are_measured(tools, tmp_path, monkeypatch):
    import sampling_ways

    monkeypatch.setattr(sampling_ways, "MILLION", 2000)
    monkeypatch.setattr(sampling_ways, "DRAWS", 100)
    monkeypatch.setenv("IGDET_CACHE", "")  # is set by what is measured
    sampling_ways.write_posts(tmp_path, 2)
    offsets, ids = sampling_ways.map_posts(tmp_path, 2)
    assert len(offsets) == 4001 and len(ids) == offsets[-1] == 8000
    sampling_ways.write_index(tmp_path, 2000)
    for measured in (sampling_ways.measure_plan, sampling_ways.measure_draws):
        first, gigabytes = measured(tmp_path, 2)
        assert first > 0 and gigabytes >= 0
    assert sampling_ways.measure_index(tmp_path)[0] > 0
    assert sampling_ways.measure_detectron2(ids.reshape(-1, 2)[:100]) > 0
    assert sampling_ways.measure_shard_list(tmp_path, 10)[1] > 10 * len("posts-000000.tar")


def test_the_table_says_how_much_faster(tools):
    from sampling import plans_table

    plans = plans_table({1: [(0.5, 0.25), (0.25, 0.5), (1.0, 0.5)]}, rate=20_000, imported=0.125)
    assert plans.rows == [["1", "0.50", "2.0", "100x", "0.50"]]
