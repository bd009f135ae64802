"""What is computed of all records: factors in fixed point, and their sums."""

from itertools import pairwise

import numpy as np
import pytest
from detectron2.data.samplers import RepeatFactorTrainingSampler

from igdet import sampling
from igdet.data.draws import epoch
from igdet.data.draws.epoch import BLOCK, FRACTION_BITS, plan_epoch, use_labels

# Four posts: label 0 in three of them, label 1 in one.
OFFSETS, IDS = np.array([0, 1, 2, 3, 4]), np.array([0, 0, 0, 1])


def factors_of(offsets, ids, resampling, epoch_factor):
    """r(I) of every record."""
    plan = plan_epoch(use_labels(offsets, ids), resampling, epoch_factor)
    return plan.factors[plan.rarest] / 2**FRACTION_BITS


@pytest.mark.parametrize(
    ("resampling", "epoch_factor", "expected"),
    [
        ("natural", 2.0, [1, 1, 1, 1]),
        ("uniform", 1.0, [1, 1, 1, 1]),
        # Budget 5: t = 0.5 gives 0.5 / 0.25 = 2 for the rare label and 0.5 / 0.75 < 1 for the other.
        ("uniform", 1.25, [1, 1, 1, 2]),
        # Budget 8, both labels above 1: 3 t / 0.75 + t / 0.25 = 8 t = 8, so t = 1.
        ("uniform", 2.0, [4 / 3, 4 / 3, 4 / 3, 4]),
        # Budget 4.5: t = 0.5625 gives sqrt(0.5625 / 0.25) = 1.5 and sqrt(0.5625 / 0.75) < 1.
        ("square_root", 1.125, [1, 1, 1, 1.5]),
        # Budget 5, both above 1: sqrt(t) (3 / sqrt(0.75) + 1 / sqrt(0.25)) = 5, so sqrt(t) = 5 / (2 sqrt(3) + 2).
        ("square_root", 1.25, [5 / (3 + 3**0.5)] * 3 + [5 / (1 + 3**0.5)]),
    ],
)
def test_hand_worked_factors(resampling, epoch_factor, expected):
    np.testing.assert_allclose(factors_of(OFFSETS, IDS, resampling, epoch_factor), expected, atol=2**-25)


def test_a_post_counts_by_its_rarest_hashtag():
    # f(0) = 3/4, f(1) = 1/4, f(2) = 2/4; posts {0}, {0, 2}, {2}, {0, 1}. Uniform, budget 6:
    # with t in [0.5, 0.75): 1 + t/0.5 + t/0.5 + t/0.25 = 1 + 8 t = 6, so t = 0.625.
    factors = factors_of(np.array([0, 1, 3, 4, 6]), np.array([0, 0, 2, 2, 0, 1]), "uniform", 1.5)
    np.testing.assert_allclose(factors, [1, 1.25, 1.25, 2.5], atol=2**-25)


@pytest.fixture
def zipfian():
    rng = np.random.default_rng(0)
    posts = [np.unique(np.minimum(rng.zipf(1.3, rng.integers(1, 5)), 200) - 1) for _ in range(2000)]
    return np.cumsum([0, *map(len, posts)]), np.concatenate(posts).astype(np.int32)


@pytest.mark.parametrize("resampling", ["square_root", "uniform"])
def test_the_total_meets_the_budget(zipfian, resampling):
    plan = plan_epoch(use_labels(*zipfian), resampling, 3.0)
    assert plan.block_ends[-1] / 2**FRACTION_BITS == pytest.approx(3.0 * 2000, abs=2000 * 2**-25)
    assert plan.factors.min() >= 2**FRACTION_BITS


def test_the_rarest_label_is_found_in_each_record(zipfian):
    use, counts = use_labels(*zipfian), np.bincount(zipfian[1])
    assert use.counts.tolist() == counts.tolist()
    assert counts[use.rarest].tolist() == [counts[zipfian[1][a:b]].min() for a, b in pairwise(zipfian[0])]
    assert use.by_rarest.tolist() == np.bincount(use.rarest, minlength=len(counts)).tolist()
    assert use.rarest.itemsize == 1  # 200 labels


def test_square_root_factors_are_detectron2s_at_the_same_threshold(zipfian):
    offsets, ids = zipfian
    factors = factors_of(offsets, ids, "square_root", 2.0)
    records = [
        {"annotations": [{"category_id": label} for label in ids[start:end].tolist()]}
        for start, end in pairwise(offsets)
    ]
    most = factors.argmax()
    rarest_count = np.bincount(ids)[ids[offsets[most] : offsets[most + 1]]].min()
    threshold = factors.max() ** 2 * rarest_count / len(records)  # r = sqrt(t / f)
    theirs = RepeatFactorTrainingSampler.repeat_factors_from_category_frequency(records, threshold)
    np.testing.assert_allclose(factors, theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize("chunk", [BLOCK, 2 * BLOCK, 100 * BLOCK])
def test_blocks_add_up_whatever_the_chunks(zipfian, monkeypatch, chunk):
    monkeypatch.setattr(sampling, "CHUNK", chunk)
    monkeypatch.setattr(epoch, "CHUNK", chunk)
    plan = plan_epoch(use_labels(*zipfian), "square_root", 2.0)
    single = plan.factors[plan.rarest]
    assert plan.block_ends.tolist() == [single[: end + BLOCK].sum() for end in range(0, 2000, BLOCK)]


@pytest.mark.parametrize(
    ("resampling", "factor", "message"),
    [("sqrt", 2.0, "RESAMPLING is one of natural"), ("uniform", 0.5, "EPOCH_FACTOR")],
)
def test_wrong_settings_are_refused(resampling, factor, message):
    with pytest.raises(ValueError, match=message):
        plan_epoch(use_labels(OFFSETS, IDS), resampling, factor)


def test_what_is_worked_out_is_kept(zipfian, tmp_path, monkeypatch):
    use = use_labels(*zipfian)
    expected = {settings: plan_epoch(use, *settings) for settings in [("uniform", 2.0), ("uniform", 2.5)]}

    def kept():
        kept_use = use_labels(*zipfian, tmp_path / "labels")
        return kept_use, {settings: plan_epoch(kept_use, *settings, tmp_path / "plans") for settings in expected}

    kept()
    for name in ("rarest_labels", "count_labels", "_block_ends"):
        monkeypatch.setattr(epoch, name, None)  # from here on, what is kept is read
    again, plans = kept()
    for name in ("counts", "by_rarest", "rarest"):
        np.testing.assert_array_equal(getattr(again, name), getattr(use, name))
    for settings, plan in expected.items():
        np.testing.assert_array_equal(plans[settings].block_ends, plan.block_ends)
        np.testing.assert_array_equal(plans[settings].factors, plan.factors)
