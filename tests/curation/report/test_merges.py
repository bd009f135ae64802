"""Merged hashtags: which labels, how many uses, and the hashtags of each."""

import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.report import merges
from igdet.curation.report.merges import merges_section

from .conftest import TAGS, cells, table

NAMES = ["tag", "label", "rule", "posts"]


def merged_labels(table):
    return [row[0].split("</bdi>")[0].removeprefix("<bdi>") for row in cells(table.rows)]


@pytest.fixture
def section_of(finish):
    """Makes the section of labels with two hashtags each: label 0 has a hashtag of one post beside its name, ..."""

    def make(count):
        labels = [(f"l{i}", f"name{i}", 100) for i in range(count)]
        tags = [(f"name{i}", f"l{i}", "lemma", 99) for i in range(count)]
        tags += [(f"other{i}", f"l{i}", "plural", i + 1) for i in range(count)]
        made = {"labels/labels.parquet": table(labels, ["label", "name", "posts"])}
        return merges_section(finish("posts", "labels", tables=made | {"labels/tags.parquet": table(tags, NAMES)}))

    return make


def test_the_one_merge(outcome):
    section = merges_section(outcome)
    assert section.note.startswith("1 labels have several hashtags, and 2 occurrences go by a name other than")
    (largest,) = section.tables
    ((label, moved, hashtags),) = cells(largest.rows)
    assert label == "<bdi>dog</bdi> <small><bdi>n00000002</bdi></small>"
    assert moved == "2"  # dogs and hound
    chips = [f'<span class="chip"><bdi>{t}</bdi> <small>{n}</small></span>' for t, n in (("dog", 5), ("dogs", 1))]
    assert hashtags == " ".join([*chips, chips[1].replace("dogs", "hound")])


def test_largest_first_and_others_at_random(section_of, monkeypatch):
    monkeypatch.setattr(merges, "SHOWN", 3)
    largest, others = section_of(10).tables
    assert merged_labels(largest) == ["name9", "name8", "name7"]
    assert [row[1] for row in cells(largest.rows)] == ["10", "9", "8"]
    assert len(others.rows) == 3
    assert set(merged_labels(others)) < {f"name{i}" for i in range(7)}
    assert len(set(merged_labels(others))) == 3
    assert section_of(10).tables == [largest, others]


def test_no_table_of_others_when_all_are_shown(section_of):
    assert [table.title for table in section_of(merges.SHOWN).tables] == ["The largest merges"]
    assert [len(table.rows) for table in section_of(merges.SHOWN + 1).tables] == [merges.SHOWN, 1]


def test_hashtags_without_a_label_are_no_merge(finish):
    tags = table([("dog", "n00000002", "lemma", 5), ("", "", "empty", 2), ("crane", "", "drop", 2)], NAMES)
    section = merges_section(finish("posts", "labels", tables={"labels/tags.parquet": tags}))
    assert section.tables == []
    assert section.note.startswith("0 labels have several hashtags, and 0 occurrences")


def test_no_hashtags(finish):
    made = {"labels/tags.parquet": table(TAGS, NAMES)[:0]}
    made["labels/labels.parquet"] = table([("a", "a", 1)], ["label", "name", "posts"])[:0]
    assert merges_section(finish("posts", "labels", tables=made)).tables == []
