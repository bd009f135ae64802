"""The top of the page, in sentences and in numbers."""

import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation.report.page import answer, facts

from .conftest import STAGES, TAGS, table

SENTENCES = [
    "10 posts with 18 hashtags came in.",
    "These are 9 different hashtags, which count as 6 labels.",
    # dog 5, dogs 1, hound 1, crane 1 of 17 uses; 7 of 10 posts.
    "The vocabulary “animals” has 2 of these labels. It covers 47.1% of the hashtags, and 70.0% of the posts carry at "
    "least one of its labels.",
]


@pytest.mark.parametrize("count", range(4))
def test_sentences_of_what_is_finished(finish, count):
    assert answer(finish(*STAGES[:count])) == SENTENCES[:count]


def test_sentence_of_the_shards(outcome):
    assert answer(outcome) == [*SENTENCES, "4 posts are in shards: the set val-zoo-4-2."]


def test_facts(outcome):
    assert facts(outcome) == [
        ("10", "posts"),
        ("18", "hashtags"),
        ("9", "different hashtags"),
        ("6", "labels"),
        ("2", "labels in the vocabulary"),
        ("7", "posts with a label"),
        ("4", "posts in shards"),
        ("2:32", "run time"),  # five stages of 30.5 s
    ]


def test_nothing_is_finished(finish):
    assert facts(finish()) == [("0:00", "run time")]


def test_no_hashtags_at_all(finish):
    tags = table(TAGS, ["tag", "label", "rule", "posts"])[:0]
    outcome = finish("posts", "labels", "vocabulary", tables={"labels/tags.parquet": tags})
    assert "It covers – of the hashtags" in answer(outcome)[-1]


def test_no_hashtag_is_covered(finish):
    tables = {"vocabulary/labels.parquet": table([("n00000004", "cat", 0)], ["label", "name", "posts"])}
    assert "It covers 0.0% of the hashtags" in answer(finish("posts", "labels", "vocabulary", tables=tables))[-1]
