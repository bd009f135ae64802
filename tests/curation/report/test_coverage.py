"""Target classes: with posts, without any, and why."""

import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.report import coverage
from igdet.curation.report.coverage import coverage_section

from .conftest import TARGETS, cells, table

NAMES = ["key", "rule", "labels", "posts"]


@pytest.fixture
def section_of(finish):
    """Makes the section of target classes."""

    def make(targets):
        tables = {"vocabulary/targets.parquet": targets}
        return coverage_section(finish("posts", "labels", "vocabulary", tables=tables))

    return make


def test_classes_with_posts_the_poorest_first(outcome):
    section = coverage_section(outcome)
    assert section.note.startswith("2 of 4 classes have posts.")
    assert len(section.charts) == 1
    poorest = section.tables[0]
    assert poorest.title == "The poorest classes"
    assert [row[:2] for row in cells(poorest.rows)] == [
        ["<bdi>crane</bdi> <small><bdi>n00000005</bdi></small>", "1"],
        ["<bdi>dog</bdi> <small><bdi>n00000002</bdi></small>", "6"],
    ]
    assert cells(poorest.rows)[1][2] == '<span class="chip"><bdi>dog</bdi> <small>6</small></span>'


def test_classes_without_posts_have_a_name_and_a_reason(outcome):
    empty = coverage_section(outcome).tables[1]
    assert cells(empty.rows) == [
        # No post has #cat, so the lexicon gives its name.
        ["<bdi>cat</bdi> <small><bdi>n00000004</bdi></small>", "no label of it was kept"],
        ["<bdi>walrus</bdi>", "not in the lexicon, and no hashtag"],
    ]
    assert empty.note == ""


def test_a_label_is_counted_only_when_it_was_kept(section_of):
    section = section_of(table([("pets", "last word", ["n00000002", "n00000004"], 6)], NAMES))
    assert cells(section.tables[0].rows)[0][2].count("<bdi>") == 1


def test_long_lists_are_cut(section_of, monkeypatch):
    monkeypatch.setattr(coverage, "SHOWN", 2)
    monkeypatch.setattr(coverage, "POOREST", 2)
    rich = [(f"rich{i}", "synset", ["n00000002"], i) for i in (3, 1, 2)]
    poorest, empty = section_of(table(rich + [(f"none{i}", "unmatched", [""], 0) for i in range(5)], NAMES)).tables
    assert [row[:2] for row in cells(poorest.rows)] == [["<bdi>rich1</bdi>", "1"], ["<bdi>rich2</bdi>", "2"]]
    assert len(empty.rows) == 2
    assert empty.note == "And 3 more."


def test_no_class_has_posts(section_of):
    section = section_of(table([TARGETS[1], TARGETS[2]], NAMES))
    assert [made.title for made in section.tables] == ["Classes without posts"]
    assert section.charts == []


def test_every_class_has_posts(section_of):
    section = section_of(table([TARGETS[0], TARGETS[3]], NAMES))
    assert [made.title for made in section.tables] == ["The poorest classes"]


def test_a_recipe_without_target_classes(section_of):
    assert section_of(None) is None
