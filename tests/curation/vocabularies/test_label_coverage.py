"""Which classes of a target are labels of a pretraining, or synonyms of one."""

import pytest

from igdet.curation.lexicon import Lexicon
from igdet.curation.vocabularies.label_coverage import Coverage, label_coverage
from igdet.curation.vocabularies.target_classes import coco_classes, named_classes


@pytest.fixture(scope="module")
def lexicon():
    return Lexicon.wordnet()


@pytest.fixture
def coverage(lexicon):
    """Of the names of a target's classes by the names of labels, in WordNet."""
    return lambda classes, labels: label_coverage(named_classes(classes), named_classes(labels), lexicon)


def test_labels_are_found_by_wnid_and_by_synonyms(coverage):
    # n01443537 is the goldfish, n02084071 the dog, n02958343 the car.
    assert coverage(["n01443537"], ["n01443537"]) == Coverage(1, 0, 1)
    assert coverage(["n02084071", "n02958343"], ["auto", "tree"]) == Coverage(1, 0, 2)
    assert coverage(["automobile"], ["n02958343"]) == Coverage(1, 0, 1)
    assert coverage(["Motor_Car"], ["#automobile"]) == Coverage(1, 0, 1)
    assert coverage(["dogs"], ["dog"]) == Coverage(1, 0, 1)


def test_wider_and_narrower_labels_are_not_counted(coverage):
    assert coverage(["dog"], ["poodle", "animal"]) == Coverage(0, 0, 1)
    assert coverage(["001.Black_footed_Albatross"], ["albatross"]).covered == 0  # a last word is wider


def test_a_hashtag_counts_for_each_of_its_meanings_and_a_wnid_for_one(coverage, lexicon):
    devices = coco_classes(["mouse"])  # n03793489, of a computer
    assert label_coverage(devices, named_classes(["mouse"]), lexicon) == Coverage(1, 0, 1)
    assert label_coverage(devices, named_classes(["n02330245"]), lexicon) == Coverage(0, 0, 1)  # the animal
    assert label_coverage(devices, devices, lexicon) == Coverage(1, 0, 1)


def test_names_outside_the_lexicon_are_found_as_they_are_and_else_are_unknown(coverage):
    assert coverage(["zorblax", "dog"], ["zorblax"]) == Coverage(1, 0, 2)
    assert coverage(["zorblax", "dog"], ["cat"]) == Coverage(0, 1, 2)


@pytest.mark.parametrize(
    ("classes", "labels"),
    [(["0", "1"], ["dog"]), (["dog"], ["0", "1"]), ([], ["dog"]), (["dog"], []), (["zorb"], ["dog"])],
)
def test_without_names_nothing_is_known(coverage, classes, labels):
    assert coverage(classes, labels) is None
