"""What became of posts, and rules of hashtags: numbers and shares."""

import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.labels.canonical import AMBIGUOUS, RULES
from igdet.curation.report.flow import AMBIGUOUS_RULES, posts_section, rules_section

from .conftest import TAGS, cells, table


def test_each_stage_has_its_posts_and_share(outcome):
    assert [row[:4] for row in cells(posts_section(outcome).tables[0].rows)] == [
        ["posts", "10", "10", "100.0%"],
        ["labels", "10", "10", "100.0%"],
        ["vocabulary", "10", "7", "70.0%"],
        ["duplicates", "7", "7", "100.0%"],
        ["shards", "7", "4", "57.1%"],
    ]


def test_counts_of_posts_have_a_share_and_others_none(outcome):
    row = cells(posts_section(outcome).tables[0].rows)[2]
    assert "<bdi>posts without a label of the vocabulary</bdi> <small>3 (30.0%)</small>" in row[4]
    assert "<bdi>labels blocked</bdi> <small>1</small>" in row[4]


def test_counts_of_zero_stand_in_the_note(finish):
    made = posts_section(finish("posts", counts={"posts without hashtags": 0, "too long": 0, "broken": 2})).tables[0]
    assert made.note == "There were none of these: posts without hashtags, too long."
    assert made.rows[0][4].text.count("chip") == 1
    assert posts_section(finish("posts", counts={"broken": 2})).tables[0].note == ""


def test_no_posts_at_all(finish):
    row = cells(posts_section(finish("posts", rows_in=0, rows_out=0, counts={"posts too long": 1})).tables[0].rows)[0]
    assert row[:4] == ["posts", "0", "0", "–"]
    assert "1 (–)" in row[4]


def test_rules_with_their_hashtags(outcome):
    # In the order of the rules, ambiguous words last: 17 uses in all.
    assert [row[:4] for row in cells(rules_section(outcome).tables[0].rows)] == [
        ["lemma", "2", "6", "35.3%"],
        ["plural", "1", "1", "5.9%"],
        ["outside", "4", "8", "47.1%"],
        ["empty", "1", "1", "5.9%"],
        ["first sense", "1", "1", "5.9%"],
    ]


@pytest.mark.parametrize("rule", [*RULES, *AMBIGUOUS])
def test_every_rule_is_explained(finish, rule):
    tags = table([("dog", "dog", rule, 1)], ["tag", "label", "rule", "posts"])
    section = rules_section(finish("posts", "labels", tables={"labels/tags.parquet": tags}))
    assert cells(section.tables[0].rows)[0][4] == (RULES | AMBIGUOUS_RULES)[rule]


def test_no_hashtags(finish):
    tags = table(TAGS, ["tag", "label", "rule", "posts"])[:0]
    outcome = finish("posts", "labels", tables={"labels/tags.parquet": tags})
    assert rules_section(outcome).tables[0].rows == []
