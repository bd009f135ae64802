"""Which hashtags stand for which classes, for words whose place in WordNet is known."""

import numpy as np
import pytest

from igdet.curation.lexicon import Lexicon
from igdet.curation.vocabularies.target_classes import TargetClass, named_classes
from igdet.curation.vocabularies.zero_shot import class_hashtags, weight_matrix

# 0: n02106662 the German shepherd, 1: n02084071 the dog, 2: n02123045 the tabby, 3: of no lexicon,
# 4: n02330245 the mouse that is an animal, whose second kind of meaning is n03793489, the device
LABELS = ["germanshepherd", "dog", "tabby", "zorblax", "mouse"]


@pytest.fixture(scope="module")
def lexicon():
    return Lexicon.wordnet()


@pytest.fixture
def found(lexicon):
    """The hashtags of classes by their names."""
    return lambda classes, labels=LABELS: class_hashtags(named_classes(classes), named_classes(labels), lexicon)


def test_a_class_has_the_hashtags_that_name_it_and_those_of_its_hyponyms(found):
    dog, animal, shepherd = found(["n02084071", "n00015388", "German shepherd"])
    assert dog == ({1: 1.0}, {0: 1.0, 1: 1.0})
    assert animal == ({}, {0: 1.0, 1: 1.0, 2: 1.0, 4: 1.0})
    assert shepherd == ({0: 1.0}, {0: 1.0})  # the dog is wider: it may be another


def test_another_sense_of_a_hashtag_counts_less_and_is_nothing_narrower(found, lexicon):
    senses = lexicon.labels_of("mouse")
    share = 1 / (1 + senses.index("n03793489"))
    device, electronics = found(["n03793489", "n03280644"])  # the mouse of a computer; electronic devices, above it
    assert device == ({4: share}, {4: share}) and 0 < share < 1
    assert electronics == ({}, {})


def test_labels_with_one_meaning_and_names_outside_the_lexicon_count_as_they_are(found):
    [zorblax, nothing, tree_frog] = found(["zorblax", "qwfp", "zorb dog"])
    assert zorblax == ({3: 1.0}, {3: 1.0})
    assert nothing == tree_frog == ({}, {})  # a last word names something wider


def test_two_labels_may_mean_one_synset(found, lexicon):
    [dog] = found(["n02084071"], ["dog", "canisfamiliaris", "poodle"])
    assert dog == ({0: 1.0, 1: 1.0}, {0: 1.0, 1: 1.0, 2: 1.0})
    labels = [TargetClass("dog", ("dog", "canis_familiaris"))]  # or one label have two hashtags
    assert class_hashtags(named_classes(["n02084071"]), labels, lexicon)[0].leaf == {0: 1.0}


def test_weights_are_a_matrix_of_labels_and_classes():
    assert np.array_equal(weight_matrix([{0: 1.0, 2: 0.5}, {}], 3), [[1, 0], [0, 0], [0.5, 0]])
