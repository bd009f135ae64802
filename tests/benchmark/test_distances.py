"""When a suite's distances are measured, what the process is asked for, and where the numbers are shown."""

import json
from pathlib import Path

import pytest

from igdet.benchmark import distances
from igdet.benchmark.cells import expand
from igdet.benchmark.collect import Study
from igdet.benchmark.distance_tables import results_table, table_of
from igdet.benchmark.distances import FILE, REQUEST, measure, measured
from igdet.benchmark.report import write_report
from igdet.benchmark.studies.page import write_page
from igdet.benchmark.studies.results import results_of
from igdet.benchmark.suite_file import read_suite

NUMBERS = {
    "images": [2000, 400],
    "frechet": 12.34,
    "frechet_infinity": None,
    "kernel": -0.0123,
    "kernel_error": 0.0042,
    "covered": 1,
    "unknown": 2,
    "classes": 4,
}
ROW = "12.3 | – | −0.012 ± 0.004 | 25% (names of 50% unknown)"


class Heard:
    """Takes the events of a run."""

    def __init__(self):
        self.events = []

    def event(self, text):
        self.events.append(text)


@pytest.fixture
def suite(write_suite):
    """The small suite of a training script that is igdet's own, with a second initialisation that is pretrained."""
    starts = {
        "scratch": {"TITLE": "From scratch"},
        "hashtag": {"TITLE": "Hashtags", "CONFIG": "pretrain.yaml", "OPTS": {"DATASETS.OWN.posts.POSTS": 9}},
        "clean": {"TITLE": "Clean", "CONFIG": "pretrain.yaml"},
    }
    return read_suite(write_suite(TRAIN_SCRIPT="", INITIALIZATIONS=starts, SEEDS=2))


@pytest.fixture
def process(monkeypatch):
    """Pretends the process: it answers each pair with `NUMBERS`, but what `fails` names; its requests are kept."""
    asked, fails = [], {}

    def run(suite):
        request = json.loads((suite.folder / REQUEST).read_text())
        asked.append(request)
        if "exit" in fails:
            return fails["exit"]
        pairs = [
            {key: pair[key] for key in ("initialisation", "target")}
            | ({"why": "gone"} if fails.get("target") == pair["target"] else NUMBERS)
            for pair in request["pairs"]
        ]
        (suite.folder / FILE).write_text(json.dumps({**request, "pairs": pairs}))
        return 0

    monkeypatch.setattr(distances, "_run", run)
    run.asked, run.fails = asked, fails
    return run


def finish_pretraining(cells, finish, *names):
    for cell in cells:
        if cell.target == "pretraining" and cell.initialisation in names:
            finish(cell, {})


def said_of(suite, cells):
    heard = Heard()
    measure(suite, cells, heard)
    return heard.events


def test_without_a_finished_pretraining_nothing_is_asked(suite, process):
    assert said_of(suite, expand(suite)) == []
    assert process.asked == [] and measured(suite, expand(suite)) == []


def test_every_pretraining_is_asked_for_with_every_target_by_one_trunk(suite, process, finish):
    cells = expand(suite)
    finish_pretraining(cells, finish, "hashtag", "clean")
    said_of(suite, cells)
    [request] = process.asked
    assert [(pair["initialisation"], pair["target"]) for pair in request["pairs"]] == [
        ("hashtag", "boxes"), ("hashtag", "linear"), ("clean", "boxes"), ("clean", "linear"),
    ]  # fmt: skip
    trunk = request["trunk"]
    assert trunk["config_file"] == "pretrain.yaml"
    assert trunk["opts"] == ["MODEL.WEIGHTS", "out/seed0/pretraining/clean/model_final.pth", "OUTPUT_DIR", "out"]
    # What cells set that has nothing to do with images is not there: equal sets are asked for in equal words.
    assert request["pairs"][0]["pretraining"] == {
        "config_file": "pretrain.yaml",
        "opts": ["DATASETS.OWN.posts.POSTS", "9"],
    }
    assert (
        request["pairs"][0]["transfer"] == request["pairs"][2]["transfer"] == {"config_file": "boxes.yaml", "opts": []}
    )


def test_the_trunk_is_the_last_one_that_is_finished(suite, process, finish):
    cells = expand(suite)
    finish_pretraining(cells, finish, "hashtag")
    said_of(suite, cells)
    finish_pretraining(cells, finish, "clean")
    assert measured(suite, cells) == []  # those of another trunk are not shown
    said_of(suite, cells)
    first, second = (
        dict(zip(of["trunk"]["opts"][::2], of["trunk"]["opts"][1::2], strict=True)) for of in process.asked
    )
    assert first["MODEL.WEIGHTS"] == "out/seed0/pretraining/hashtag/model_final.pth"
    assert second["MODEL.WEIGHTS"] == "out/seed0/pretraining/clean/model_final.pth"


def test_measured_once_while_configs_are_the_same(suite, process, finish, write_config):
    finish_pretraining(expand(suite), finish, "hashtag", "clean")
    for _ in range(2):
        said_of(suite, expand(suite))
    assert len(process.asked) == 1 and len(measured(suite, expand(suite))) == 4
    write_config("boxes", TOP1=99)
    assert measured(suite, expand(suite)) == []
    said_of(suite, expand(suite))
    assert len(process.asked) == 2


def test_a_failure_is_said_and_tried_again(suite, process, finish):
    cells = expand(suite)
    finish_pretraining(cells, finish, "hashtag", "clean")
    process.fails["exit"] = 2
    assert said_of(suite, cells)[-1] == "distances are not measured: exit code 2; see out/distances.txt"
    del process.fails["exit"]
    process.fails["target"] = "boxes"
    assert said_of(suite, cells)[-2:] == [f"no distance  {name} to boxes: gone" for name in ("hashtag", "clean")]
    assert sum("why" in pair for pair in measured(suite, cells)) == 2
    process.fails.clear()
    said_of(suite, cells)
    assert not any("why" in pair for pair in measured(suite, cells))


def test_a_process_that_cannot_be_started_is_said(suite, finish, monkeypatch):
    cells = expand(suite)
    finish_pretraining(cells, finish, "clean")
    monkeypatch.setattr(distances, "sys", type("sys", (), {"executable": "/no/python"}))
    assert said_of(suite, cells)[-1].startswith("distances are not measured: [Errno 2]")


def test_another_training_script_is_not_second_guessed(write_suite, process, finish):
    suite = read_suite(write_suite())
    finish_pretraining(expand(suite), finish, "hashtag")
    [said] = said_of(suite, expand(suite))
    assert said.startswith("distances are not measured: whether ") and process.asked == []


def test_the_report_shows_them(suite, process, finish):
    cells = expand(suite)
    finish_pretraining(cells, finish, "hashtag", "clean")
    said_of(suite, cells)
    page = write_report(Study(suite, cells))
    lines = [" ".join(line.split()) for line in (suite.folder / "report.md").read_text().splitlines()]
    assert f"| Hashtags; Clean | Boxes | 400 | {ROW} |" in lines  # equal rows are one
    assert "25% (names of 50% unknown)" in page.read_text()


def test_results_and_page_of_a_study_have_them(write_suite, process, finish):
    axes = {
        "posts": {
            "TITLE": "Posts",
            "SCALE": "log",
            "VALUES": {str(x): {"X": x, "PRETRAINING": {"DATASETS.OWN.posts.POSTS": x}} for x in (10, 100)},
        }
    }
    suite = read_suite(write_suite(TRAIN_SCRIPT="", AXES=axes))
    cells = expand(suite)
    for cell in cells:
        finish(cell, {"classification": {"top1": 30}, "bbox": {"AP": 3}})
    assert results_table(suite, results_of(Study(suite, cells))) is None
    said_of(suite, cells)
    results = results_of(Study(suite, cells))
    assert results.values("boxes", "hashtag.posts-10", "distance/coverage") == {0: 25.0}
    assert results.values("boxes", "hashtag.posts-10", "distance/images") == {0: 400.0}
    assert results.values("boxes", "hashtag.posts-10", "distance/frechet-infinity") == {}
    assert results.values("boxes", "scratch", "distance/frechet") == {}
    write_page(suite, results, "igdet study run t", Path("t.md"))
    lines = [" ".join(line.split()) for line in Path("t.md").read_text().splitlines()]
    assert f"| Hashtags, 10; Hashtags, 100 | Linear | 400 | {ROW} |" in lines
    assert all(len(line) <= 120 or line.startswith("|") for line in Path("t.md").read_text().splitlines())


def test_labels_without_names_are_unknown_and_never_0():
    table = table_of([("P", "T", {"distance/frechet": 1.0})])
    assert table.rows[0][-1].text == "unknown"
    assert table_of([("P", "T", {"distance/coverage": 0.0})]).rows[0][-1].text == "0%"
