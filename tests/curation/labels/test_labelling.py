"""Hashtags of posts to labels: by hand, and against a plain count of random posts."""

import random
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from igdet.curation.labels import labelling
from igdet.curation.labels.canonical import Canonicaliser
from igdet.curation.labels.labelling import LISTS, REPEATS, TAG_COUNTS, LexiconSettings, make_labeller
from igdet.curation.labels.strings import BINDING, CompiledStrings, PlainStrings
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


@pytest.fixture(autouse=True, params=[CompiledStrings, PlainStrings])
def kind(request, monkeypatch):
    """Numbers from the compiled module and from Python."""
    if request.param is CompiledStrings and BINDING is None:
        pytest.skip("igdet.curation.labels._hashtags was not built")
    monkeypatch.setattr(labelling, "make_strings", request.param)


def label(posts, settings, batches=1):
    """Return the labels of each post, the posts of each (hashtag, chosen label), and how often posts repeat a label."""
    labeller, found = make_labeller(settings), []
    for batch in np.array_split(np.arange(len(posts)), batches):
        result = labeller(pa.array([posts[row] for row in batch], pa.list_(pa.string())))
        assert result.type == LISTS
        found += result.to_pylist()
    tag_counts, repeats = labeller.counts()
    assert (tag_counts.schema, repeats.schema) == (TAG_COUNTS, REPEATS)
    tags = {(entry["tag"], entry["label"]): entry["posts"] for entry in tag_counts.to_pylist()}
    return found, tags, {entry["label"]: entry["posts"] for entry in repeats.to_pylist()}


def test_labels_and_counts_once_a_post(settings):
    posts = [["Dog", "hound", "dog", "zzz"], [], ["dogs", "CAT", "crane", "cat"], None, ["d_o_g"]]
    labels, tags, repeats = label(posts, settings())
    assert labels == [["n1", "zzz"], [], ["n1", "n2", "n3"], [], ["n1"]]
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
    assert make_labeller(settings())(hidden).to_pylist() == [["n1"], []]


def test_a_null_is_an_empty_hashtag(settings):
    labels, tags, _ = label([["dog", None]], settings())
    assert labels == [["n1"]] and tags == {("dog", None): 1, ("", None): 1}


def test_a_part_of_an_array(settings):
    posts = pa.array([["zzz"], ["dog", "cat"], [], ["hound"]])
    assert make_labeller(settings())(posts[1:3]).to_pylist() == [["n1", "n2"], []]


@pytest.mark.parametrize("ambiguous", ["first_sense", "context"])
@pytest.mark.parametrize("posts", [[[]], [None, []]])
def test_posts_without_hashtags(settings, posts, ambiguous):
    assert label(posts, settings(ambiguous)) == ([[]] * len(posts), {}, {})


@pytest.mark.parametrize("ambiguous", ["first_sense", "context"])
def test_a_batch_without_posts(settings, ambiguous):
    assert label([], settings(ambiguous)) == ([], {}, {})


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
    labels, found_tags, found_repeats = label(posts, settings(ambiguous), batches=3)
    assert [set(post) for post in labels] == expected and [len(post) for post in labels] == list(map(len, expected))
    assert (found_tags, found_repeats) == (tags, +repeats)


def test_a_form_that_is_a_label_of_others(settings):
    labels, tags, repeats = label([["n1", "dog"], ["dog"], ["n1"]], settings())
    assert labels == [["n1"], ["n1"], ["n1"]]
    assert (tags, repeats) == ({("n1", None): 2, ("dog", None): 2}, {"n1": 1})


def test_a_hashtag_that_reads_like_a_form_and_its_label(settings):
    """What posts choose is no hashtag, whatever it is called."""
    labels, tags, _ = label([["crane n4", "crane", "derrick"]], settings("context"))
    assert labels == [["cranen4", "n4"]]
    assert tags == {("cranen4", None): 1, ("crane", "n4"): 1, ("derrick", None): 1}


def test_many_counts_come_in_parts(settings, monkeypatch):
    monkeypatch.setattr(labelling, "_ROWS", 2)
    _, tags, repeats = label([["a", "b", "c", "dog", "hound", "cat"]], settings())
    assert tags == {(tag, None): 1 for tag in ("a", "b", "c", "dog", "hound", "cat")}
    assert repeats == {"n1": 1}


@pytest.mark.skipif(BINDING is None, reason="igdet.curation.labels._hashtags was not built")
@pytest.mark.parametrize("ambiguous", ["first_sense", "own_label", "drop"])
def test_compiled_and_plain_come_to_the_same_in_the_same_order(settings, ambiguous):
    generator = random.Random(1)
    letters = ["a", "É", "İ", "ß", "_", "#", " ", "ﬁ", "２", "\u200b", "🐻", "x" * 50]
    tags = TAGS + ["".join(generator.choices(letters, k=generator.randrange(8))) for _ in range(300)]
    both = [labelling.Labeller(settings(ambiguous), kind()) for kind in (CompiledStrings, PlainStrings)]
    for _ in range(4):
        posts = [generator.choices(tags, k=generator.randrange(9)) for _ in range(200)]
        batch = pa.array(posts, pa.list_(pa.string()))
        compiled, plain = (labeller(batch) for labeller in both)
        assert compiled.equals(plain) and compiled.values.dictionary.equals(plain.values.dictionary)
    assert all(a.equals(b) for a, b in zip(*(labeller.counts() for labeller in both), strict=True))
