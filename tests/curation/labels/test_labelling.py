"""Hashtags of posts to labels: by hand, and against a plain count of random posts."""

import random
from collections import Counter

import pyarrow as pa
import pytest

from igdet.curation.labels.canonical import Canonicaliser
from igdet.curation.labels.labelling import FIELDS, Labeller, LexiconSettings
from igdet.formats.vocabulary import normalise_tag

LEXICON = """word,label
dog,n1
hound,n1
cat,n2
crane,n3
crane,n4
derrick,n4
"""
TAGS = ["Dog", "dog", "#d_o_g", "dogs", "hound", "cat", "cat2018", "crane", "cranes", "derrick", "zzz", "", "🐻"]


@pytest.fixture
def settings(tmp_path):
    """Settings by what becomes of an ambiguous word."""
    (tmp_path / "lexicon.csv").write_text(LEXICON)
    return lambda ambiguous="first_sense": LexiconSettings(str(tmp_path / "lexicon.csv"), ambiguous)


def label(posts, settings):
    """Return the labels of each post, the posts of each (hashtag, chosen label), and how often posts repeat a label."""
    result = Labeller(settings)(pa.array(posts, pa.list_(pa.string())))
    assert result.type == FIELDS and len(result) == len(posts)
    rows = result.to_pylist()
    assert all(row["tag_counts"] is None and row["repeats"] is None for row in rows[1:])
    tags = {(entry["tag"], entry["label"]): entry["posts"] for entry in rows[0]["tag_counts"]}
    repeats = {entry["label"]: entry["posts"] for entry in rows[0]["repeats"]}
    return [row["labels"] for row in rows], tags, repeats


def test_labels_and_counts_once_a_post(settings):
    posts = [["Dog", "hound", "dog", "zzz"], [], ["dogs", "CAT", "crane", "cat"], None, ["d_o_g"]]
    labels, tags, repeats = label(posts, settings())
    assert [sorted(post) for post in labels] == [["n1", "zzz"], [], ["n1", "n2", "n3"], [], ["n1"]]
    assert tags == {
        ("dog", None): 2,
        ("hound", None): 1,
        ("zzz", None): 1,
        ("dogs", None): 1,
        ("cat", None): 1,
        ("crane", None): 1,
    }
    assert repeats == {"n1": 1}  # the first post has #dog and #hound


def test_dropped_hashtags_are_counted_and_carry_no_label(settings):
    labels, tags, repeats = label([["crane", "dog"], ["crane", "__"]], settings("drop"))
    assert labels == [["n1"], []]
    assert tags == {("crane", None): 2, ("dog", None): 1, ("", None): 1}
    assert repeats == {}


def test_the_other_hashtags_of_a_post_decide(settings):
    labels, tags, repeats = label([["crane", "derrick"], ["crane"], ["derrick", "CRANE", "crane"]], settings("context"))
    assert labels == [["n4"], ["n3"], ["n4"]]
    assert tags == {("crane", "n4"): 2, ("crane", "n3"): 1, ("derrick", None): 2}
    assert repeats == {"n4": 2}


def test_null_lists_may_hide_values(settings):
    hidden = pa.ListArray.from_arrays(pa.array([0, 1, 2]), pa.array(["dog", "cat"]), mask=pa.array([False, True]))
    assert Labeller(settings())(hidden).field("labels").to_pylist() == [["n1"], []]


@pytest.mark.parametrize("ambiguous", ["first_sense", "context"])
@pytest.mark.parametrize("posts", [[[]], [None, []]])
def test_posts_without_hashtags(settings, posts, ambiguous):
    assert label(posts, settings(ambiguous)) == ([[]] * len(posts), {}, {})


@pytest.mark.parametrize("ambiguous", ["first_sense", "context"])
def test_a_batch_without_posts(settings, ambiguous):
    assert len(Labeller(settings(ambiguous))(pa.array([], pa.list_(pa.string())))) == 0


@pytest.mark.parametrize("ambiguous", ["first_sense", "own_label", "drop", "context"])
def test_a_plain_count_comes_to_the_same(settings, ambiguous):
    generator = random.Random(0)
    posts = [generator.choices(TAGS, k=generator.randrange(6)) for _ in range(500)]
    canonicaliser = Canonicaliser(settings().read(), ambiguous)
    expected, tags, repeats = [], Counter(), Counter()
    for post in posts:
        meant = dict(zip(map(normalise_tag, post), canonicaliser.resolve(post), strict=True))
        expected.append(set(meant.values()) - {""})
        chosen = {
            tag: label if canonicaliser.canonical(tag).rule == "context" else None for tag, label in meant.items()
        }
        tags.update(chosen.items())
        repeats.update(label for label in meant.values() if label)
        repeats.subtract(expected[-1])
    labels, found_tags, found_repeats = label(posts, settings(ambiguous))
    assert [set(post) for post in labels] == expected and [len(post) for post in labels] == list(map(len, expected))
    assert (found_tags, found_repeats) == (tags, +repeats)
