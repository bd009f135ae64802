"""What is plotted: the numbers handed to the charts."""

import pytest

from igdet.benchmark import figures
from igdet.benchmark.cells import expand
from igdet.benchmark.collect import Study
from igdet.reporting.charts import Series


@pytest.fixture
def drawn(monkeypatch):
    """What would be drawn, instead of images."""
    calls = {}

    def note(title, axes, lines, *_, **__):
        calls[title] = (axes, lines)
        return title

    for name in ("line_chart", "bar_chart"):
        monkeypatch.setattr(figures, name, note)
    return calls


def test_ap_by_threshold_is_a_mean_with_spread(study, drawn):
    assert figures.threshold_charts(study) == ["Box AP by threshold"]
    axes, lines = drawn["Box AP by threshold"]
    assert axes == ("IoU threshold", "AP")
    assert [line.style for line in lines] == [0, 1]
    assert (lines[0].xs[0], lines[0].ys[0]) == (0.5, 21.0)
    assert lines[0].ys[-1] == 21.0 - 9
    assert lines[0].spreads == [1.0] * 10


def test_gains_are_drawn_on_both_sides_of_zero(study, monkeypatch):
    drawn = []
    monkeypatch.setattr(figures, "line_chart", lambda *values: drawn.append(values))
    figures.gain_charts(study)
    ((title, _, (line,), scale),) = drawn
    assert (title, scale) == ("Box AP: gain over From scratch", "differences")
    assert line == Series(1, figures.THRESHOLDS, [0.0] * 10, [1.0] * 10)  # +1, -1 and 0


def test_bars_of_errors_by_kind(suite, finish, drawn):
    cells = expand(suite)
    scratch = next(cell for cell in cells if (cell.target, cell.initialisation) == ("boxes", "scratch"))
    finish(scratch, {"bbox": {"AP": 9.0, "dAP-classification": 3.0, "dAP-missed": 5.0}})
    figures.error_charts(Study(suite, cells))
    assert drawn == {"Box AP: what fixing would gain": (("", "points of AP50"), [Series(0, [0, 5], [3.0, 5.0])])}


def test_losses_over_images_seen(study, drawn):
    figures.loss_charts(study)
    assert set(drawn) == {"Pretraining: loss", "Boxes: loss", "Linear: loss"}
    _, (line,) = drawn["Pretraining: loss"]  # from scratch has none
    assert line == Series(1, [80, 160], [2.0, 1.0], [0.0, 0.0])


def test_evaluations_during_training(suite, finish, drawn):
    curve = [{"images_seen": 8, "classification/top1": 10.0}, {"images_seen": 16, "loss_cls": 1.0}]
    curve += [{"images_seen": 24, "classification/top1": 20.0}]
    cells = expand(suite)
    finish(cells[3], {"classification": {"top1": 20.0}}, curve)
    figures.evaluation_charts(Study(suite, cells))
    assert drawn == {"Top-1 during training": (("images seen", "percent"), [Series(0, [8, 24], [10.0, 20.0])])}


def test_nothing_to_plot(suite):
    study = Study(suite, expand(suite))
    assert figures.threshold_charts(study) == figures.loss_charts(study) == figures.evaluation_charts(study) == []
    assert figures.gain_charts(study) == figures.error_charts(study) == []
    assert figures.hashtag_chart(study) is None


def test_hashtag_frequencies_by_rank(suite, finish, drawn):
    finish(expand(suite)[0], {}, posts_per_hashtag=[1, 3, 0])  # nobody uses the third
    figures.hashtag_chart(Study(suite, expand(suite)))
    assert drawn["Hashtag frequencies"] == (("rank", "posts"), [Series(1, [1, 2], [3, 1])])


def test_no_frequencies_without_hashtags(suite, finish, drawn):
    finish(expand(suite)[0], {}, posts_per_hashtag=[])
    assert figures.hashtag_chart(Study(suite, expand(suite))) is None
