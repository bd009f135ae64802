"""Which labels may stand for a class, and with what score."""

import numpy as np
import pytest

from igdet.curation.vocabularies.candidates import Candidate, Reach, find_candidates
from igdet.curation.vocabularies.target_classes import TargetClass, match_targets

DOG, LOVE, CRANE, CAT, PUPPY, _, ANIMAL = range(7)
NO_POSTS = np.array([0]), np.array([], dtype=np.int32)


@pytest.fixture
def find(animals, animal_labels):
    def run(*wnids, posts=NO_POSTS, **reach):
        matches = match_targets([TargetClass(wnid, (), wnid) for wnid in wnids], animal_labels, animals)
        return find_candidates(animal_labels, matches, animals, *posts, Reach(**reach))

    return run


def test_the_class_and_what_is_below(find):
    assert find("n00000002", up=0) == [Candidate(DOG, 0, "exact", 0, 1), Candidate(PUPPY, 0, "hyponym", 1, 1)]
    assert find("n00000002", up=0, down=0) == [Candidate(DOG, 0, "exact", 0, 1)]


def test_a_hypernym_is_shared_by_its_hyponyms(find):
    # An animal is a dog, a cat, a crane or a goldfish; a dog of these is a puppy, its only hyponym.
    assert find("n00000003", up=2) == [
        Candidate(DOG, 0, "hypernym", 1, 1),
        Candidate(PUPPY, 0, "exact", 0, 1),
        Candidate(ANIMAL, 0, "hypernym", 2, 1 / 4),
    ]


def test_depth_is_counted_in_steps(find):
    assert [(found.row, found.steps) for found in find("n00000001", up=0, down=2)] == [
        (DOG, 1),
        (CRANE, 1),
        (CAT, 1),
        (PUPPY, 2),
        (ANIMAL, 0),
    ]


def test_homonyms(find):
    assert find("n00000006") == [Candidate(CRANE, 0, "homonym", 0, 1 / 2)]


def test_one_label_may_stand_for_many_classes(find):
    found = find("n00000002", "n00000004", down=0)
    assert [(candidate.row, candidate.target, candidate.relation) for candidate in found] == [
        (DOG, 0, "exact"),
        (CAT, 1, "exact"),
        (ANIMAL, 0, "hypernym"),
        (ANIMAL, 1, "hypernym"),
    ]


def test_neighbours_score_by_the_share_of_their_posts(find):
    # Eight posts with love, six of them with a cat; the two others are taken to show one as often: 6/8 of 2 posts.
    lists = [[LOVE, CAT]] * 6 + [[LOVE]] * 2 + [[DOG]] * 8
    posts = np.cumsum([0, *map(len, lists)]), np.concatenate(lists).astype(np.int32)
    found = find("n00000004", posts=posts, up=0)
    assert found == [Candidate(LOVE, 0, "neighbour", 0, 6 / 8 * 2 / 8), Candidate(CAT, 0, "exact", 0, 1)]
    assert [candidate.row for candidate in find("n00000004", posts=posts, up=0, neighbours=0)] == [CAT]


def test_unmatched_classes_have_none(find):
    assert find("n99999999") == []
