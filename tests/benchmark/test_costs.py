"""What initialisations cost beside what they are worth, by hand."""

import pytest

from igdet.benchmark.cells import expand
from igdet.benchmark.collect import Study
from igdet.benchmark.costs import Worth, cost_charts, cost_table, front, worths

SMALL = {"parameters": 1_500_000, "multiply_adds": 20_000_000, "pixels": [64, 64]}
LARGE = {"parameters": 3_000_000, "multiply_adds": 80_000_000, "pixels": [64, 64]}


@pytest.fixture
def study(suite, finish):
    """Transfers from scratch with a small trunk, from hashtags with a large one."""
    cells = expand(suite)
    for cell in cells:
        trunk = LARGE if cell.initialisation == "hashtag" else SMALL
        finish(cell, {"bbox": {"AP": 10.0}, "classification": {"top1": 50.0}}, trunk=trunk)
    return Study(suite, cells)


def test_the_table_has_parameters_multiply_adds_and_times(study):
    table = cost_table(study)
    scratch, hashtag = ([entry.text for entry in row] for row in table.rows)
    assert table.header[1:5] == [
        "Time of a pretraining", "Boxes: parameters, M", "Boxes: multiply-adds, G", "Boxes: time of a run",
    ]  # fmt: skip
    assert scratch[1:5] == ["–", "1.5", "0.02", "1:30"]  # each run is said to take 90 s
    assert hashtag[1:5] == ["1:30", "3.0", "0.08", "1:30"]


def test_charts_are_drawn_where_trunks_differ(study, suite, finish):
    boxes, linear = cost_charts(study)
    assert "Box AP over multiply-adds" in boxes and "Top-1 over multiply-adds" in linear
    assert [worth[1:] for worth in worths(study, study.columns[0])] == [(0.02, 10.0), (0.08, 10.0)]
    for cell in expand(suite):
        finish(cell, {"bbox": {"AP": 10.0}, "classification": {"top1": 50.0}}, trunk=SMALL)
    assert cost_charts(Study(suite, expand(suite))) == []


def test_runs_that_do_not_say_it_have_no_table(suite, finish):
    for cell in expand(suite):
        finish(cell, {"bbox": {"AP": 10.0}})
    study = Study(suite, expand(suite))
    assert cost_table(study) is None and cost_charts(study) == []


@pytest.mark.parametrize(("lower", "names"), [(False, "abd"), (True, "ac")])
def test_the_front_has_what_no_other_beats(lower, names):
    found = [Worth("b", 2, 20), Worth("a", 1, 10), Worth("c", 2, 5), Worth("d", 9, 30), Worth("e", 9, 30)]
    assert "".join(worth.name for worth in front(found, lower)) == names


def test_an_empty_front():
    assert front([]) == []
