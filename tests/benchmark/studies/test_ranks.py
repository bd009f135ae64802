"""The agreement of two targets' orders, against SciPy and by hand."""

import numpy as np
import pytest
from scipy import stats

from igdet.benchmark.cells import expand
from igdet.benchmark.collect import Study
from igdet.benchmark.studies.ranks import Ranked, agreement, rank_chart, rank_sentences, ranked_of
from igdet.benchmark.studies.results import results_of
from igdet.benchmark.suite_file import read_suite
from igdet.utils.yaml import ConfigError

STARTS = {name: {"TITLE": name.title(), "WEIGHTS": f"{name}.pth"} for name in ("tin", "iron", "silver", "gold")}
TARGETS = {
    name: {"TITLE": title, "CONFIG": "linear.yaml", "METRICS": {metric: "AP"}}
    for name, title, metric in (("probe", "Probe", "bbox/AP"), ("boxes", "Boxes", "bbox/AP"))
}
AXES = {"rate": {"TITLE": "Rate", "VALUES": {str(x): {"TRANSFER": {"SOLVER.BASE_LR": x}} for x in (0.1, 0.2)}}}
# Two seeds, which differ by less than the initialisations; the probe takes silver for gold.
PROBE = {"tin": (1, 2), "iron": (3, 4), "silver": (9, 10), "gold": (7, 8)}
BOXES = {"tin": (10, 11), "iron": (20, 21), "silver": (30, 31), "gold": (40, 41)}


def ranked(probe=PROBE, boxes=BOXES):
    return Ranked(list(boxes), np.array([*probe.values()], float), np.array([*boxes.values()], float))


def suite_of(write_suite, **more):
    return read_suite(write_suite(**{"INITIALIZATIONS": STARTS, "TARGETS": TARGETS, "BASELINES": [], **more}))


@pytest.fixture
def suite(write_suite, tmp_path):
    return suite_of(write_suite, SEEDS=2, RANKS=["probe", "boxes"])


@pytest.fixture
def results(suite, finish):
    cells = expand(suite)
    for cell in cells:
        values = {"probe": PROBE, "boxes": BOXES}[cell.target]
        finish(cell, {"bbox": {"AP": values[cell.initialisation][cell.seed]}})
    return results_of(Study(suite, cells), with_scenes=False)


def test_the_correlation_is_scipys_of_the_means():
    found = agreement(ranked())
    expected = stats.spearmanr([1.5, 3.5, 9.5, 7.5], [10.5, 20.5, 30.5, 40.5]).statistic
    assert found.correlation == pytest.approx(expected) == pytest.approx(0.8)
    assert (found.low, found.high) == pytest.approx((0.8, 0.8))  # whatever seeds are drawn, the order is the same


def test_pairs_are_those_that_the_full_target_tells_apart():
    # Differences of 10, 20 and 30 without any spread: all six pairs; the probe turns one of them.
    assert agreement(ranked())[3:] == (6, 5)
    # Student's t with one degree of freedom is 12.7. Iron's seeds are 29 apart: its differences 1 and 28 from tin, 89
    # and 61 from silver, 189 and 161 from gold have half intervals of 172, 178 and 178; the other three pairs' have 6.
    noisy = {"tin": (10, 12), "iron": (11, 40), "silver": (100, 101), "gold": (200, 201)}
    assert agreement(ranked(boxes=noisy))[3:] == (3, 2)


def test_one_seed_gives_a_correlation_without_interval():
    found = agreement(ranked({name: row[:1] for name, row in PROBE.items()}, {n: row[:1] for n, row in BOXES.items()}))
    assert found.correlation == pytest.approx(0.8) and np.isnan(found.low)
    assert (found.told_apart, found.alike) == (0, 0)


def test_equal_results_have_no_order():
    assert np.isnan(agreement(ranked(probe=dict.fromkeys(PROBE, (5, 5)))).correlation)


def test_a_metric_that_is_better_when_lower_is_turned(write_suite, finish):
    targets = {**TARGETS, "probe": {**TARGETS["probe"], "METRICS": {"total_loss": "Loss"}}}
    suite = suite_of(write_suite, TARGETS=targets, SEEDS=1, RANKS=["probe", "boxes"])
    cells = expand(suite)
    for cell in cells:
        value = BOXES[cell.initialisation][0]
        finish(cell, {"bbox": {"AP": value}} if cell.target == "boxes" else {"training": {"total_loss": -value}})
    assert agreement(ranked_of(suite, results_of(Study(suite, cells), with_scenes=False))).correlation == 1


def test_sentences_say_correlation_pairs_and_cost(suite, results):
    correlation, pairs, cost = rank_sentences(suite, results)
    assert correlation == (
        "Probe orders 4 initialisations as Boxes does with a rank correlation of +0.80 [+0.80, +0.80] (Spearman; "
        "bootstrap over seeds)."
    )
    assert pairs == "Of the 6 pairs that Boxes tells apart, it orders 5 alike."
    assert cost == "A run takes 1.5 minutes instead of 1.5."  # each run is said to take 90 s
    assert "Boxes by Probe" in rank_chart(suite, results) and "Silver" in rank_chart(suite, results)


def test_a_target_without_results_has_nothing_to_compare(suite, finish):
    (sentence,) = rank_sentences(suite, results_of(Study(suite, expand(suite)), with_scenes=False))
    assert sentence == "0 initialisations have results of both targets: too few to compare their orders."


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"RANKS": ["probe"]}, r"RANKS takes two targets, a cheap one and the one that it stands for, got \['probe'\]"),
        ({"RANKS": ["probe", "probe"]}, "RANKS takes two targets"),
        ({"RANKS": ["probe", "boxes"], "AXES": AXES}, "RANKS compares initialisations, which AXES would multiply"),
        ({"RANKS": ["prob", "boxes"]}, "RANKS names 'prob'; known: probe, boxes; did you mean 'probe'"),
    ],
)
def test_ranks_that_mean_nothing_are_refused(write_suite, more, message):
    with pytest.raises(ConfigError, match=message):
        suite_of(write_suite, **more)
