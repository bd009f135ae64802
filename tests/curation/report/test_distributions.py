"""Frequencies of labels, and hashtags and labels per post."""

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.report.distributions import MOST, distributions_section

from .conftest import POSTS, cells, table

LABELS = ["label", "name", "posts"]


def posts_with(lengths):
    """Make a part with posts of so many hashtags."""
    lists = pa.array([["a"] * length for length in lengths], pa.list_(pa.string()))
    ids = pa.array([str(i) for i in range(len(lengths))], pa.string())
    return {"posts/part-00000/0/a.parquet": pa.table({"id": ids, "image": ids, "tags": lists})}


@pytest.fixture
def per_post(finish):
    """Makes the section of posts with so many hashtags each."""

    def make(*lengths):
        tables = posts_with(lengths) | {"posts/part-00001/0/a.parquet": None}
        return distributions_section(finish("posts", tables=tables))

    return make


def test_per_post(outcome):
    per_post = distributions_section(outcome).tables[-1]
    assert cells(per_post.rows) == [
        ["hashtags as written", "10", "1.80", "2", "3"],
        ["labels of the vocabulary", "7", "1.00", "1", "1"],
    ]
    assert per_post.note == "Labels: of the posts that have any."


def test_only_posts(finish):
    section = distributions_section(finish("posts"))
    (per_post,) = section.tables
    assert [row[0] for row in cells(per_post.rows)] == ["hashtags as written"]
    assert per_post.note == ""
    assert len(section.charts) == 1


def test_the_median_is_the_lower_one_of_two(per_post):
    assert cells(per_post(0, 1, 4, 9).tables[0].rows)[0] == ["hashtags as written", "4", "3.50", "1", "9"]
    assert cells(per_post(0, 1, 4, 4, 9).tables[0].rows)[0][3] == "4"


@pytest.mark.parametrize(("most", "note"), [(MOST, ""), (MOST + 1, "Bar 30 stands for 30 and more.")])
def test_many_hashtags_share_the_last_bar(per_post, most, note):
    section = per_post(1, most)
    assert section.tables[0].note == note
    assert cells(section.tables[0].rows)[0][4] == str(most)


def test_bars_are_shares_of_the_posts(per_post, monkeypatch):
    drawn = []
    monkeypatch.setattr("igdet.curation.report.distributions.bar_chart", lambda *a: drawn.extend(a[2]) or "")
    per_post(0, 2, 2, 2)
    per_post(1, MOST - 1, MOST, MOST + 9)
    few, many = drawn
    assert (few.xs, few.ys) == ([0, 1, 2], [25, 0, 75])
    assert many.xs == list(range(MOST + 1))
    assert many.ys == [0, 25, *[0] * (MOST - 3), 25, 50]


def test_no_posts(per_post):
    section = per_post()
    assert cells(section.tables[0].rows) == [["hashtags as written", "0", "–", "–", "–"]]
    assert section.charts == []


def test_zipf_of_all_labels_and_of_the_vocabulary(finish):
    posts = (720_720 / np.arange(1, 9)).astype(int).tolist()
    labels = table([(str(i), str(i), n) for i, n in enumerate(posts)], LABELS)
    tables = {"labels/labels.parquet": labels, "vocabulary/labels.parquet": labels[:2]}
    section = distributions_section(finish("posts", "labels", "vocabulary", tables=tables))
    assert cells(section.tables[0].rows) == [
        ["all labels", "8", "1–8", "1.000 ± 0.000", "720,720"],
        ["vocabulary", "2", "–", "–", "–"],  # too few for a fit
    ]
    assert "Zipf, s = 1.00" in section.charts[0]


def test_the_order_of_the_labels_and_labels_without_posts_do_not_matter(finish):
    labels = table([("a", "a", 10), ("b", "b", 0), ("c", "c", 30), ("d", "d", 15)], LABELS)
    section = distributions_section(finish("posts", "labels", tables={"labels/labels.parquet": labels}))
    assert cells(section.tables[0].rows) == [["all labels", "3", "1–3", "1.000 ± 0.000", "30"]]


def test_no_labels(finish):
    labels = table([("a", "a", 1)], LABELS)[:0]
    section = distributions_section(finish("posts", "labels", tables={"labels/labels.parquet": labels}))
    assert cells(section.tables[0].rows) == [["all labels", "0", "–", "–", "–"]]
    assert len(section.charts) == 1  # of hashtags per post


def test_the_cut_into_files_does_not_matter(finish):
    of_two_files = distributions_section(finish("posts"))
    lengths = [0 if tags is None else len(tags) for tags in POSTS]
    whole = posts_with(lengths) | {"posts/part-00001/0/a.parquet": pa.table({"tags": [["a"]]})[:0]}
    assert distributions_section(finish("posts", tables=whole)) == of_two_files
