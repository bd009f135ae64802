"""From target classes to labels, and to rows of the table of labels."""

import pyarrow as pa
import pytest

from igdet.curation.labels.label_table import SCHEMA
from igdet.curation.vocabularies.target_classes import (
    TargetClass,
    TargetMatch,
    hashtag_form,
    match_targets,
    rows_of_matches,
)


@pytest.mark.parametrize(
    ("target", "labels", "rule"),
    [
        (TargetClass("n00000006", (), "n00000006"), ("n00000006",), "wnid"),
        (TargetClass("cats", ("cats",)), ("n00000004",), "name"),  # a hashtag of the table
        (TargetClass("goldfishes", ("goldfishes",)), ("n00000008",), "name"),  # a plural of the lexicon
        (TargetClass("Love", ("Love",)), ("love",), "name"),  # a label outside the lexicon
        (TargetClass("n99999999", ("unknown", "hound"), "n99999999"), ("n00000002",), "name"),
        (TargetClass("Clark's crane", ("Clark's crane",)), ("n00000005",), "last word"),
        (TargetClass("walrus", ("walrus",)), (), "unmatched"),
        (TargetClass("n99999999", (), "n99999999"), (), "unmatched"),
        (TargetClass("?", ("?",)), (), "unmatched"),
    ],
)
def test_rules(animals, animal_labels, target, labels, rule):
    [match] = match_targets([target], animal_labels, animals)
    assert (match.key, match.labels, match.rule) == (target.key, labels, rule)


def test_forms_are_the_names_and_the_labels_words(animals, animal_labels):
    targets = [TargetClass("n00000002", ("Canis familiaris",), "n00000002"), TargetClass("toy cat", ("toy cat",))]
    by_wnid, by_last_word = match_targets(targets, animal_labels, animals)
    assert by_wnid.forms == {"dog", "hound", "canisfamiliaris"}
    assert by_last_word.forms == {"cat"}  # a toy cat is no name of the cat


def rows_of(labels, forms, lexicon, table):
    return rows_of_matches(table, [TargetMatch("x", labels, frozenset(forms), "wnid")], lexicon)[0]


def test_the_class_itself_scores_1(animals, animal_labels):
    assert rows_of(("n00000002",), {"dog", "hound"}, animals, animal_labels) == {0: 1}


def test_a_homonym_scores_by_its_sense(animals, animal_labels):
    # #crane counts as the bird; the machine is its second sense.
    assert rows_of(("n00000006",), {"crane", "derrick"}, animals, animal_labels) == {2: 1 / 2}


def test_a_word_that_means_other_things_only_is_no_name(animals, animal_labels):
    assert rows_of(("n00000006",), {"cat"}, animals, animal_labels) == {}


def test_a_name_without_other_meanings_scores_1(animals, animal_labels):
    assert rows_of(("n00000004",), {"love", "cat"}, animals, animal_labels) == {1: 1, 3: 1}


def test_ambiguous_words_that_are_labels_of_their_own_are_found(animals):
    table = pa.table([["crane"], ["crane"], [4], [["crane"]]], schema=SCHEMA)
    assert rows_of(("n00000005",), {"crane"}, animals, table) == {0: 1}
    assert rows_of(("n00000006",), {"crane"}, animals, table) == {0: 1 / 2}


@pytest.mark.parametrize(
    ("name", "form"), [("Clark's nutcracker", "clarksnutcracker"), ("brown_bear", "brownbear"), ("...", "")]
)
def test_names_as_hashtags(name, form):
    assert hashtag_form(name) == form
