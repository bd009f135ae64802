"""Grids: trials on other data, the choice, the rerun with it."""

import io

import pytest

from igdet.benchmark.cells import expand
from igdet.benchmark.collect import Study
from igdet.benchmark.progress import Progress
from igdet.benchmark.report import write_report
from igdet.benchmark.runner import Runner
from igdet.benchmark.selection import ends_of_grid, grid_settings, setting_label
from igdet.benchmark.suite_file import read_suite
from igdet.benchmark.tables import selection_table

TARGET = {
    "TITLE": "T",
    "CONFIG": "boxes.yaml",
    "METRICS": {"classification/top1": "A"},
    "GRID": {"SOLVER.BASE_LR": [2, 0.5], "SOLVER.WEIGHT_DECAY": [0.0001]},
    "SELECT_ON": {"TRAIN": "part", "TEST": "rest"},
}


@pytest.fixture
def grid_suite(write_suite):
    return read_suite(write_suite(TARGETS={"t": TARGET}, SEEDS=2))


def test_a_grid_is_every_combination():
    settings = grid_settings({"SOLVER.BASE_LR": [0.1, 0.01], "SOLVER.IMAGES_SEEN": [20000]})
    assert settings == [
        {"SOLVER.BASE_LR": 0.1, "SOLVER.IMAGES_SEEN": 20000},
        {"SOLVER.BASE_LR": 0.01, "SOLVER.IMAGES_SEEN": 20000},
    ]
    assert setting_label(settings[0]) == "BASE_LR=0.1,IMAGES_SEEN=20000"


def test_numbers_stay_as_they_are_written(write_suite):
    """A config takes 1.0 for a learning rate and 1 for a count, and neither for the other."""
    grid = {"SOLVER.BASE_LR": [1.0, 0.5], "SOLVER.IMAGES_SEEN": [20000]}
    suite = read_suite(write_suite(TARGETS={"t": TARGET | {"GRID": grid}}))
    command = " ".join(expand(suite)[1].command())
    assert "SOLVER.BASE_LR 1.0 SOLVER.IMAGES_SEEN 20000 " in command


def test_the_ends_of_a_grid():
    grid = {"SOLVER.BASE_LR": [0.1, 0.01, 0.03], "SOLVER.WEIGHT_DECAY": [0.0001], "SOLVER.IMAGES_SEEN": [200, 400]}
    setting = {"SOLVER.BASE_LR": 0.03, "SOLVER.WEIGHT_DECAY": 0.0001, "SOLVER.IMAGES_SEEN": 400}
    assert ends_of_grid(setting, grid) == []  # of two values the best is always at an end
    assert ends_of_grid(setting | {"SOLVER.BASE_LR": 0.01}, grid) == ["the smallest SOLVER.BASE_LR (0.01)"]
    assert ends_of_grid(setting | {"SOLVER.BASE_LR": 0.1}, grid) == ["the largest SOLVER.BASE_LR (0.1)"]


def test_trials_use_the_selection_sets_and_are_made_once(grid_suite):
    cells = {cell.name: cell for cell in expand(grid_suite)}
    trials = [name for name in cells if "/select/" in name]
    assert trials == [
        f"seed0/t/select/{start}_BASE_LR={rate},WEIGHT_DECAY=0.0001"
        for start in ("scratch", "hashtag")
        for rate in ("2", "0.5")
    ]
    assert cells[trials[0]].opts["DATASETS.TRAIN"] == "('part',)"
    assert cells[trials[0]].opts["SOLVER.BASE_LR"] == 2
    for seed in (0, 1):
        final = cells[f"seed{seed}/t/hashtag"]
        assert [need.name for need in final.needs] == [f"seed{seed}/pretraining/hashtag", *trials[2:]]
        assert "DATASETS.TRAIN" not in final.opts
        assert final.chosen is None


def test_the_winner_runs_on_all_with_every_seed(grid_suite):
    # The stand-in's top-1 falls with the learning rate: 0.5 wins.
    assert Runner(grid_suite, expand(grid_suite), 0, lambda: None, Progress(), poll=0.05).run()
    study = Study(grid_suite, expand(grid_suite))
    assert study.setting("t", "scratch") == "BASE_LR=0.5,WEIGHT_DECAY=0.0001"
    assert study.values("t", "scratch", "classification/top1") == {0: 29.5, 1: 30.5}
    rows = [[entry.text for entry in row] for row in selection_table(study).rows]
    assert rows[:2] == [
        ["T", "From scratch", "BASE_LR=2,WEIGHT_DECAY=0.0001", "28.0", ""],
        ["T", "From scratch", "BASE_LR=0.5,WEIGHT_DECAY=0.0001", "29.5", "chosen"],
    ]


def test_a_choice_at_an_end_of_its_grid_is_warned_of(write_suite, finish):
    grid = {"GRID": {"SOLVER.BASE_LR": [2, 1, 0.5]}}
    cells = expand(suite := read_suite(write_suite(TARGETS={"t": TARGET | grid})))
    for cell in cells:
        finish(cell, {"classification": {"top1": 30 - cell.setting.get("SOLVER.BASE_LR", 0)}})
    warning = "From scratch, T: the best setting has the smallest SOLVER.BASE_LR (0.5) of its GRID; a wider one may do"
    assert warning in write_report(Study(suite, cells)).with_name("report.md").read_text()


def test_a_setting_is_chosen_by_the_lowest_calibration_error(write_suite, finish):
    cells = expand(suite := read_suite(write_suite(TARGETS={"t": TARGET | {"METRICS": {"classification/ece": "ECE"}}})))
    for cell in cells:
        finish(cell, {"classification": {"ece": 30 - cell.setting.get("SOLVER.BASE_LR", 0)}})
    assert Study(suite, cells).setting("t", "scratch") == "BASE_LR=2,WEIGHT_DECAY=0.0001"


@pytest.fixture
def run(grid_suite):
    """Runs the suite; returns (complete, what was printed, the study)."""

    def run():
        text = io.StringIO()
        complete = Runner(grid_suite, expand(grid_suite), 0, lambda: None, Progress(text), poll=0.05).run()
        return complete, text.getvalue(), Study(grid_suite, expand(grid_suite))

    return run


def test_a_trial_that_diverges_is_a_result_and_the_choice_is_among_the_others(run, write_config):
    write_config("boxes", ENDING="diverge_fast")
    complete, text, study = run()
    assert complete
    assert text.count("started   seed0/t/select/scratch_BASE_LR=2") == 1  # no second attempt
    assert "diverged  seed0/t/select/scratch_BASE_LR=2,WEIGHT_DECAY=0.0001" in text
    assert study.values("t", "scratch", "classification/top1") == {0: 29.5, 1: 30.5}
    rows = [[entry.text for entry in row] for row in selection_table(study).rows]
    assert rows[:2] == [
        ["T", "From scratch", "BASE_LR=2,WEIGHT_DECAY=0.0001", "diverged", ""],
        ["T", "From scratch", "BASE_LR=0.5,WEIGHT_DECAY=0.0001", "29.5", "chosen"],
    ]
    assert run()[:2] == (True, "")  # nor is it run again by the next call


def test_a_trial_that_lost_all_foreground_is_a_result_but_not_chosen(grid_suite, finish):
    cells = {cell.name: cell for cell in expand(grid_suite)}
    trials = [cells[f"seed0/t/select/scratch_BASE_LR={rate},WEIGHT_DECAY=0.0001"] for rate in ("2", "0.5")]
    finish(trials[0], {"classification": {"top1": 90.0}}, lost_foreground=50)
    finish(trials[1], {"classification": {"top1": 20.0}}, lost_foreground=None)
    assert cells["seed0/t/scratch"].chosen == trials[1]
    rows = [[entry.text for entry in row] for row in selection_table(Study(grid_suite, list(cells.values()))).rows]
    assert [row[3:] for row in rows[:2]] == [["90.0 (lost all foreground)", ""], ["20.0", "chosen"]]


@pytest.mark.parametrize("fake", [{"ENDING": "diverge"}, {"TOP1": float("nan")}])
def test_without_a_result_to_choose_by_nothing_is_trained_with_an_unchosen_setting(run, write_config, fake):
    write_config("boxes", **fake)
    complete, text, study = run()
    assert not complete
    assert "blocked   seed0/t/scratch: no trial has classification/top1 to choose by" in text
    assert {r.cell.name: r.state for r in study.runs}["seed1/t/scratch"] == "blocked"


def test_a_trial_that_failed_otherwise_is_shown_and_waited_for(run, write_config):
    write_config("boxes", ENDING="fail")
    complete, text, study = run()
    assert not complete
    assert "blocked   seed0/t/scratch: it waits for seed0/t/select/scratch_BASE_LR=" in text
    assert [row[3].text for row in selection_table(study).rows] == ["failed"] * 4


def test_the_choice_does_not_change_what_a_cell_is(grid_suite, finish):
    before = {cell.name: cell.digest for cell in expand(grid_suite)}
    for cell in expand(grid_suite):
        if cell.setting:
            finish(cell, {"classification": {"top1": cell.setting["SOLVER.BASE_LR"]}})
    final = expand(grid_suite)[-1]
    assert final.opts["SOLVER.BASE_LR"] == 2
    assert {cell.name: cell.digest for cell in expand(grid_suite)} == before
