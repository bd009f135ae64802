"""Paired tests over seeds and over images, with scipy beside them."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from igdet.benchmark.cells import expand
from igdet.benchmark.collect import Study
from igdet.benchmark.tables import over_images, over_seeds, paired_table


def column(study, target):
    [found] = [column for column in study.columns if column.target == target]
    return found


def write_answers(run, answers, names=None):
    folder = run.cell.folder / "inference" / "val"
    folder.mkdir(parents=True)
    names = names or [f"{i}.png" for i in range(len(answers))]
    table = {"image_id": names, "gt_classes": [[1]] * len(answers), "top_classes": [[answer, 0] for answer in answers]}
    pq.write_table(pa.table(table), folder / "predictions.parquet")


def test_over_seeds_is_scipys_paired_t_test(study):
    test = over_seeds(study, column(study, "linear"), "hashtag", "scratch")
    expected = stats.ttest_rel([30, 33, 36], [20, 21, 22])
    assert (test.difference, test.n) == (12, 3)
    assert test.p == pytest.approx(expected.pvalue)
    assert test.low == pytest.approx(expected.confidence_interval(0.95).low)


def test_over_images_counts_those_that_one_alone_gets_right(study):
    linear = column(study, "linear")
    assert over_images(study, linear, "hashtag", "scratch") is None
    write_answers(study.transfers("linear", "hashtag")[0], [1] * 8 + [2] * 2)
    write_answers(study.transfers("linear", "scratch")[0], [2] * 8 + [1] * 2)
    test = over_images(study, linear, "hashtag", "scratch")
    assert (test.difference, test.n) == (60, 10)
    assert test.p == pytest.approx(stats.binomtest(8, 10).pvalue)
    assert over_images(study, column(study, "boxes"), "hashtag", "scratch") is None


def test_predictions_of_other_images_are_not_compared(study):
    write_answers(study.transfers("linear", "hashtag")[0], [1, 2])
    write_answers(study.transfers("linear", "scratch")[0], [1, 2], names=["a.png", "b.png"])
    assert over_images(study, column(study, "linear"), "hashtag", "scratch") is None


def test_the_table_names_difference_interval_and_p(study):
    rows = [[entry.text for entry in row] for row in paired_table(study).rows]
    assert rows[0] == ["Hashtags over From scratch", "Box AP", "3 seeds", "+0.0", "−2.5 to +2.5", "1.000"]
    assert rows[1][2:] == ["3 seeds", "+12.0", "+7.0 to +17.0", "0.009"]


def test_one_seed_gives_no_table(suite):
    assert paired_table(Study(suite, expand(suite))) is None
