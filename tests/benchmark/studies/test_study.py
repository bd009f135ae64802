"""A study from its trainings, which are pretended, to its results, figures and sentences."""

import sys
from pathlib import Path

import pytest

from igdet.benchmark.axes import with_starts_as_axis
from igdet.benchmark.cells import expand
from igdet.benchmark.collect import Study, columns_of
from igdet.benchmark.studies.curves import curves_of, study_columns
from igdet.benchmark.studies.figures import draw_figures
from igdet.benchmark.studies.page import panels_of
from igdet.benchmark.studies.results import Results, ResultsError, results_of
from igdet.benchmark.suite_file import read_suite
from igdet.cli import study as command

AXES = {
    "posts": {
        "TITLE": "Posts",
        "SCALE": "log",
        "VALUES": {
            name: {"X": size, "PRETRAINING": {"SOLVER.IMAGES_SEEN": size}}
            for name, size in (("10", 10), ("100", 100), ("1k", 1000))
        },
    }
}
LINEAR = {
    "linear": {
        "TITLE": "Linear",
        "CONFIG": "linear.yaml",
        "METRICS": {"classification/top1": "Top-1"},
        "PUBLISHED": "imagenet1k_linear",
    }
}
# Means 40, 50 and 60: ten points a tenfold.
TOP1 = {"hashtag.posts-10": (39, 41), "hashtag.posts-100": (49, 51), "hashtag.posts-1k": (59, 61), "scratch": (30, 30)}


@pytest.fixture
def suite(write_suite):
    return read_suite(
        write_suite(AXES=AXES, TARGETS=LINEAR, SEEDS=2, QUESTION="Do more posts help?", FINDINGS=["size"])
    )


@pytest.fixture
def results(suite, finish):
    cells = expand(suite)
    for cell in cells:
        if cell.target == "pretraining":
            finish(cell, {}, images_seen=int(cell.opts["SOLVER.IMAGES_SEEN"]))
        else:
            finish(cell, {"classification": {"top1": TOP1[cell.initialisation][cell.seed]}})
    return results_of(Study(suite, cells))


def test_results_come_back_by_target_and_point(results, tmp_path):
    results.write(tmp_path / "r.parquet")
    again = Results.read(tmp_path / "r.parquet")
    assert again.values("linear", "hashtag.posts-100", "classification/top1") == {0: 49.0, 1: 51.0}
    assert again.values("linear", "nobody", "classification/top1") == {}
    assert again.cost("hashtag.posts-1k") == (1000, 90 / 3600)  # each run is said to take 90 s
    assert again.cost("scratch") is None


@pytest.mark.parametrize("content", [b"", b"PAR1"])
def test_results_that_cannot_be_read_are_named(tmp_path, content):
    (tmp_path / "r.parquet").write_bytes(content)
    with pytest.raises(ResultsError, match=r"r\.parquet cannot be read"):
        Results.read(tmp_path / "r.parquet")


def test_a_series_that_does_not_vary_has_one_point(suite, results):
    (column,) = columns_of(suite)
    scratch, hashtag = curves_of(suite, results, column)
    assert not scratch.varies and scratch.points[0].values == {0: 30.0, 1: 30.0}
    assert [(point.title, point.x, point.interval.mean) for point in hashtag.points] == [
        ("10", 10, 40), ("100", 100, 50), ("1k", 1000, 60),
    ]  # fmt: skip


def test_the_verdict_of_a_straight_line(suite, results):
    (panel,) = panels_of(suite, results)
    growth, against, *rest = panel.sentences
    assert against == "Top-1, Hashtags: 1k against From scratch gains +30.0 points [+17.3, +42.7] over 2 seeds."
    assert growth.startswith("Top-1, Hashtags: ten times more posts gains +10.0 points [")
    # From 100 to 1,000 images: 900 more. All runs took equally long, so that hours say nothing.
    assert "hours" not in growth and rest == []
    (figure,) = draw_figures(suite, results, [(panel.column, panel.curves)])
    assert figure.title == "Top-1 by Posts" and figure.svg.count("<svg") == 1


def test_losses_are_no_percentages(write_suite, finish):
    nll = {"linear": LINEAR["linear"] | {"METRICS": {"classification/nll": "NLL"}}}
    suite = read_suite(write_suite(AXES=AXES, TARGETS=nll, SEEDS=2))
    for cell in expand(suite):
        values = TOP1.get(cell.initialisation, (0, 0)) if cell.target == "linear" else (0, 0)
        finish(cell, {"classification": {"nll": 7 - values[cell.seed] / 100}})
    (panel,) = panels_of(suite, results_of(Study(suite, expand(suite))))
    assert panel.sentences[0].startswith("NLL ↓, Hashtags: ten times more posts improves, −0.10 [−0.1")
    assert not any("points" in sentence for sentence in panel.sentences)


def test_a_series_without_pretraining_keeps_no_metric_of_pretrainings_away(write_suite):
    network = {name: {"BOTH": {"MODEL.BACKBONE.NAME": name}} for name in ("R_18", "R_50")}
    starts = {
        "scratch": {"TITLE": "From scratch"},
        "hashtag": {"TITLE": "Hashtags", "CONFIG": "pretrain.yaml", "METRICS": {"hashtags/loss": "Loss"}},
    }
    axes = {**AXES, "network": {"TITLE": "Network", "VALUES": network}}
    suite = read_suite(write_suite(AXES=axes, TARGETS=LINEAR, INITIALIZATIONS=starts))
    assert [column.title for column in study_columns(suite)] == ["Top-1", "Pretraining: Loss ↓"]


def test_a_difference_within_the_intervals_is_no_claim(suite, results, finish):
    for cell in expand(suite):
        if cell.initialisation.startswith("hashtag") and cell.target == "linear":
            finish(cell, {"classification": {"top1": 50 + 10 * (-1) ** cell.seed}})
    (panel,) = panels_of(suite, results_of(Study(suite, expand(suite))))
    assert "cannot be told apart from no change: +0.0 points" in panel.sentences[0]


def test_the_gap_of_two_series_and_how_it_changes(write_suite, finish):
    starts = {
        name: {"TITLE": name.title(), "CONFIG": "pretrain.yaml", "OPTS": {"SOLVER.MOMENTUM": momentum}}
        for name, momentum in (("few", 0.8), ("many", 0.9))
    }
    suite = read_suite(write_suite(AXES=AXES, TARGETS=LINEAR, INITIALIZATIONS=starts, BASELINES=[], SEEDS=2))
    # Few: 40 everywhere. Many: 2, 4, 6 more: the gap grows by 2 a tenfold, with every seed.
    gaps = {"10": 2, "100": 4, "1k": 6}
    cells = expand(suite)
    for cell in cells:
        node = suite.initializations[cell.initialisation]
        top1 = 40 + cell.seed + gaps[node.point["posts"]] * (node.series == "many")
        finish(cell, {} if cell.target == "pretraining" else {"classification": {"top1": top1}})
    (panel,) = panels_of(suite, results_of(Study(suite, cells)))
    assert (
        "Top-1: Many over Few at 10: gains +2.0 points [+2.0, +2.0] over 2 seeds; 100: gains +4.0 points [+4.0, +4.0] "
        "over 2 seeds; 1k: gains +6.0 points [+6.0, +6.0] over 2 seeds."
    ) in panel.sentences
    assert "Top-1: with ten times more posts this difference changes by +2.0 points [+2.0, +2.0]." in panel.sentences


@pytest.mark.parametrize("scale", ["category", "linear"])
def test_another_axis_is_compared_with_its_first_value(write_suite, finish, scale):
    values = {name: {"X": at, "PRETRAINING": {"SOLVER.MOMENTUM": at / 10}} for at, name in enumerate(("a", "b"))}
    axis = {"TITLE": "Kind", "SCALE": scale, "VALUES": values}
    suite = read_suite(write_suite(AXES={"kind": axis}, TARGETS=LINEAR, SEEDS=3))
    cells = expand(suite)
    for cell in cells:
        top1 = 50 + cell.seed + (20 + cell.seed / 100 if cell.initialisation.endswith("b") else 0)
        finish(cell, {} if cell.target == "pretraining" else {"classification": {"top1": top1}})
    (panel,) = panels_of(suite, results_of(Study(suite, cells)))
    assert panel.sentences == [
        "Top-1, Hashtags: a against From scratch cannot be told apart from no change: +0.0 points [+0.0, +0.0] over 3 "
        "seeds.",
        "Top-1, Hashtags: b against a gains +20.0 points [+20.0, +20.0] over 3 seeds.",
        "Top-1, Hashtags: b against From scratch gains +20.0 points [+20.0, +20.0] over 3 seeds.",
    ]


DETECTION = {
    "boxes": {
        "TITLE": "Boxes",
        "CONFIG": "linear.yaml",
        "METRICS": {"bbox/AP": "Box AP", "bbox/errors-missed": "Missed"},
    }
}


def test_without_axes_the_initialisations_are_compared(write_suite, finish):
    read = read_suite(write_suite(TARGETS=DETECTION, SEEDS=3))
    cells = expand(read)
    for cell in cells:
        ap = 10.0 + cell.seed + 5 * (cell.initialisation == "hashtag")
        thresholds = {f"AP@0.{at}": ap for at in range(50, 100, 5)}
        boxes = {"bbox": {"AP": ap, "errors-missed": 50 - ap, **thresholds}}
        finish(cell, {} if cell.target == "pretraining" else boxes)
    suite = with_starts_as_axis(read)
    results = results_of(Study(suite, cells))
    panels = panels_of(suite, results)
    assert [sentence for panel in panels for sentence in panel.sentences] == [
        "Box AP: Hashtags against From scratch gains +5.0 points [+5.0, +5.0] over 3 seeds.",
        "Missed ↓: Hashtags against From scratch improves, −5.0 points [−5.0, −5.0] over 3 seeds.",
    ]
    figures = draw_figures(suite, results, [(panel.column, panel.curves) for panel in panels])
    # What is better when it is lower has a figure of its own.
    assert [figure.title for figure in figures] == ["Boxes: Box AP", "Boxes: Missed ↓", "Boxes: AP by IoU of boxes"]
    assert all(title in figures[2].svg for title in ("From scratch", "Hashtags"))


def rates(*values):
    """An axis of learning rates of the transfers."""
    found = {value: {"X": float(value), "TRANSFER": {"SOLVER.BASE_LR": float(value)}} for value in values}
    return {"TITLE": "rate", "SCALE": "log", "ASKS": "best", "VALUES": found}


def test_the_best_rate_of_each_series(write_suite, finish):
    values = {
        name: {"X": float(name), "TRANSFER": {"SOLVER.BASE_LR": float(name)}} for name in ("0.01", "0.02", "0.04")
    }
    axis = {"TITLE": "rate", "SCALE": "log", "ASKS": "best", "VALUES": values}
    suite = read_suite(write_suite(AXES={"rate": axis}, TARGETS=LINEAR, SEEDS=2))
    # Scratch is best at 0.02 with both seeds; hashtags at 0.01 with seed 0 and at 0.02, by 4 points, with seed 1.
    top1 = {
        "scratch": {"0.01": (20, 20), "0.02": (30, 30), "0.04": (10, 10)},
        "hashtag": {"0.01": (50, 40), "0.02": (49, 44), "0.04": (30, 30)},
    }
    cells = expand(suite)
    for cell in cells:
        node = suite.initializations[cell.initialisation]
        value = top1[node.series][node.point["rate"]][cell.seed]
        finish(cell, {} if cell.target == "pretraining" else {"classification": {"top1": value}})
    (panel,) = panels_of(suite, results_of(Study(suite, cells)))
    assert panel.sentences[:4] == [
        "Top-1, From scratch: best at rate 0.02 (30.0).",
        "Top-1, From scratch: a sweep with seed 0 alone chooses 0.02, which costs the other seeds 0.0 points against "
        "the best value of each.",
        "Top-1, Hashtags: best at rate 0.02 (46.5).",
        "Top-1, Hashtags: a sweep with seed 0 alone chooses 0.01, which costs the other seeds 4.0 points against the "
        "best value of each.",
    ]
    # 19 and 14 points more at the same rate: mean 16.5, +- 12.706 x 3.536 / sqrt 2.
    assert (
        "each at its best value, Hashtags over From scratch cannot be told apart from no change: +16.5 points [−15.3"
        in (panel.sentences[4])
    )


def test_a_seed_that_the_chosen_value_lacks_costs_nothing(write_suite, finish):
    suite = read_suite(write_suite(AXES={"rate": rates("0.01", "0.02")}, TARGETS=LINEAR, SEEDS=3))
    cells = expand(suite)
    for cell in cells:
        rate = suite.initializations[cell.initialisation].point.get("rate")
        if cell.target == "pretraining":
            finish(cell, {})
        elif (rate, cell.seed) != ("0.01", 2):  # not run yet, where seed 0 chooses 0.01
            top1 = {"0.01": (50, 40), "0.02": (30, 44, 90)}[rate][cell.seed]
            finish(cell, {"classification": {"top1": top1}})
    sentences = panels_of(suite, results_of(Study(suite, cells)))[0].sentences
    assert "chooses 0.01, which costs the other seeds 4.0 points" in sentences[1]


def test_a_best_value_at_the_end_of_its_range_is_said(write_suite, finish):
    axis = rates("0.01", "0.02")
    suite = read_suite(write_suite(AXES={"rate": axis}, TARGETS=LINEAR, SEEDS=1))
    cells = expand(suite)
    for cell in cells:
        finish(cell, {} if cell.target == "pretraining" else {"classification": {"top1": 50}})
    sentences = panels_of(suite, results_of(Study(suite, cells)))[0].sentences
    assert "at the end of the range" in sentences[0] and "one seed: no interval" in sentences[1]


def test_the_command_runs_writes_and_draws_again(write_suite, folder, monkeypatch, capsys):
    posts = {"TITLE": "Posts", "SCALE": "log", "VALUES": dict(list(AXES["posts"]["VALUES"].items())[:2])}
    write_suite(AXES={"posts": posts}, TARGETS=LINEAR, QUESTION="Do more posts help?", FINDINGS=["size"])
    monkeypatch.setattr("igdet.benchmark.command.check_configs", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["tools/study.py", "run", "suite.yaml", "--out", "pages"])
    assert command.main() == 0
    page = (folder / "pages/suite.md").read_text()
    for text in ("# A test", "Do more posts help?", "python tools/study.py run suite.yaml\n",
                 "2 sizes are too few for a fit", "about log-linearly", "| Top-1 83.6: about 1B hashtag images",
                 "![Top-1 by Posts](suite-1.svg)"):  # fmt: skip
        assert text in page
    svg = (folder / "pages/suite-1.svg").read_text()
    assert "prefers-color-scheme" in svg and svg.startswith("<svg")
    (folder / "pages/suite.md").unlink()
    monkeypatch.setattr(sys, "argv", ["tools/study.py", "draw", "suite.yaml", "--out", "pages"])
    assert command.main() == 0
    assert (folder / "pages/suite.md").read_text() == page
    (folder / "configs/studies/paper").mkdir(parents=True)
    (folder / "suite.yaml").rename("configs/studies/paper/suite.yaml")
    (folder / "pages/paper").mkdir()
    (folder / "pages/suite.parquet").rename("pages/paper/suite.parquet")
    monkeypatch.setattr(sys, "argv", ["tools/study.py", "draw", "paper/suite", "--out", "pages"])
    assert command.main() == 0
    assert (folder / "pages/paper/suite.md").read_text() == page.replace(" run suite.yaml\n", " run paper/suite\n")


def test_what_is_no_study_is_refused(write_suite, monkeypatch, capsys):
    write_suite(INITIALIZATIONS={"scratch": {"TITLE": "From scratch"}})
    for name, message in (
        ("suite.yaml", "suite.yaml has neither AXES nor a second of INITIALIZATIONS"),
        ("nothing", "nothing is no file and no study"),
    ):
        monkeypatch.setattr(sys, "argv", ["tools/study.py", "draw", name])
        with pytest.raises(SystemExit):
            command.main()
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("configs/studies/size.yaml", "size"),
        ("configs/studies/paper/size.yaml", "paper/size"),
        ("configs/untested/studies/size.yaml", "size"),
        ("mine/size.yaml", "size"),
    ],
)
def test_results_of_two_studies_of_one_name_lie_apart(path, name):
    assert command.results_name(Path(path)) == Path(name)
