"""Reading runs back: states, metrics by name, pairs to compare."""

import pytest

from igdet.benchmark.cells import expand
from igdet.benchmark.collect import Study
from igdet.benchmark.command import report, status
from igdet.benchmark.metrics import finite_metrics
from igdet.benchmark.process import locked
from igdet.benchmark.suite_file import read_suite


def states(suite):
    return [run.state for run in Study(suite, expand(suite)).runs]


def test_states_of_a_matrix(suite):
    pretraining, boxes, *_ = expand(suite)
    pretraining.write_record(state="failed", why="exit code 1")
    boxes.write_record(state="started")
    assert states(suite) == ["failed", "interrupted", "blocked", "waiting", "blocked"]
    with locked(suite.folder):
        assert states(suite)[1] == "running"


@pytest.mark.parametrize("content", ["", "[]", "{}", "{", "\ufeff[1", '{"results": 3}', '{"results": {}, "host": []}'])
def test_damaged_results_are_named_and_made_anew(suite, content):
    cell = expand(suite)[1]
    cell.write_record(state="finished", seconds=5)
    (cell.folder / "results.json").write_text(content)
    assert states(suite)[1] == "broken"
    assert f"{cell.name}: {cell.folder / 'results.json'}" in status(suite)
    assert not cell.is_over
    assert report(suite).is_file()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"digest": 1}'])
def test_a_damaged_record_is_none(suite, content):
    cell = expand(suite)[1]
    cell.write_record(state="finished", seconds=5)
    (cell.folder / "cell.json").write_text(content)
    assert states(suite)[1] == "waiting"


@pytest.mark.parametrize("value", ["12", None, True, [1], float("inf"), 10**400])
def test_a_value_that_is_no_finite_number_is_missing(value):
    assert finite_metrics({"results": {"val": {"bbox": {"AP": value, "AP50": 2}}}}) == {"val/bbox/AP50": 2.0}


def test_looking_makes_no_folder(suite):
    states(suite)
    assert not suite.folder.exists()


def test_values_and_summaries(study):
    assert study.values("linear", "hashtag", "classification/top1") == {0: 30, 1: 33, 2: 36}
    assert study.summary("linear", "scratch", "classification/top1").text() == "21.0 ± 1.0"
    assert study.gain("linear", "hashtag", "scratch", "classification/top1").text(signed=True) == "+12.0 ± 2.0"


def test_a_metric_without_a_value_is_missing(study):
    run = study.transfers("linear", "scratch")[0]
    assert run.metric("classification/top5") is None
    assert run.metric("val/classification/top1") == 20
    assert study.summary("linear", "scratch", "absent") is None


def test_an_ambiguous_metric_is_named(suite, finish):
    finish(expand(suite)[1], {"a": {"bbox": {"AP": 1.0}}, "b": {"bbox": {"AP": 2.0}}})
    run = Study(suite, expand(suite)).runs[1]
    with pytest.raises(ValueError, match="bbox/AP is ambiguous; name one of val/a/bbox/AP, val/b/bbox/AP"):
        run.metric("bbox/AP")


def test_every_baseline_is_compared_with_those_after_it(write_suite):
    starts = {name: {"TITLE": name} for name in ("ours", "scratch", "clean", "other")}
    suite = read_suite(write_suite(INITIALIZATIONS=starts, BASELINES=["scratch", "clean"]))
    assert Study(suite, expand(suite)).comparisons == [
        ("clean", "scratch"),
        ("ours", "scratch"),
        ("other", "scratch"),
        ("ours", "clean"),
        ("other", "clean"),
    ]
