"""Labels kept and dropped."""

import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.report import flow
from igdet.curation.report.flow import frequent_section, reasons_section

from .conftest import DROPPED, cells, table

NAMES = ["label", "name", "posts", "reason"]


def test_reasons_kept_first_then_by_posts(outcome):
    # 15 posts, summed over the six labels.
    assert cells(reasons_section(outcome).tables[0].rows) == [
        ["kept", "2", "7", "46.7%"],
        ["blocked", "1", "5", "33.3%"],
        ["rare", "3", "3", "20.0%"],
    ]


def test_kept_labels_come_first_even_with_fewer_posts(finish):
    tables = {"vocabulary/dropped.parquet": table([("love", "love", 100, "blocked")], NAMES)}
    rows = reasons_section(finish("posts", "labels", "vocabulary", tables=tables)).tables[0].rows
    assert [row[:3] for row in cells(rows)] == [["kept", "2", "7"], ["blocked", "1", "100"]]


def test_most_frequent_labels_of_ten_posts(outcome):
    kept, dropped = frequent_section(outcome).tables
    assert cells(kept.rows) == [
        ["<bdi>dog</bdi> <small><bdi>n00000002</bdi></small>", "6", "60.0%"],
        ["<bdi>crane</bdi> <small><bdi>n00000005</bdi></small>", "1", "10.0%"],
    ]
    assert cells(dropped.rows)[0] == ["<bdi>love</bdi>", "blocked", "5", "50.0%"]
    assert [row[2] for row in cells(dropped.rows)] == ["5", "1", "1", "1"]


def test_a_hostile_hashtag_is_escaped(outcome):
    names = [row[0] for row in cells(frequent_section(outcome).tables[1].rows)]
    assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>" in names


def test_only_the_most_frequent_are_shown(outcome, monkeypatch):
    monkeypatch.setattr(flow, "SHOWN", 1)
    kept, dropped = frequent_section(outcome).tables
    assert [cells(made.rows)[0][-2:] for made in (kept, dropped)] == [["6", "60.0%"], ["5", "50.0%"]]
    assert len(kept.rows) == len(dropped.rows) == 1


def test_nothing_was_dropped(finish):
    tables = {"vocabulary/dropped.parquet": table(DROPPED, NAMES)[:0]}
    outcome = finish("posts", "labels", "vocabulary", tables=tables)
    assert [made.title for made in frequent_section(outcome).tables] == ["Kept"]
    assert cells(reasons_section(outcome).tables[0].rows) == [["kept", "2", "7", "100.0%"]]
