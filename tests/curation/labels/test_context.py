"""Which meaning of a word the other hashtags of its post speak for."""

import pyarrow as pa
import pytest

from igdet.curation.labels.canonical import MAX_DISTANCE, Context
from igdet.curation.lexicon import Lexicon

DOG, PUPPY, CAT, BIRD, DERRICK, MACHINE = (f"n{number:08d}" for number in range(2, 8))


@pytest.mark.parametrize(
    ("a", "b", "likeness"),
    [
        (DOG, DOG, 1),
        (PUPPY, DOG, 1 / 2),
        (DOG, CAT, 1 / 3),  # up to the animal and down again
        (PUPPY, CAT, 1 / 4),
        (DERRICK, DOG, 0),  # nothing is wider than both
        (DOG, "instagood", 0),
    ],
)
def test_likeness(animals, a, b, likeness):
    assert Context(animals).likeness(a, b) == pytest.approx(likeness)
    assert Context(animals).likeness(b, a) == pytest.approx(likeness)


def test_the_shortest_way_counts():
    hypernyms = pa.table({"label": ["a", "b", "c"], "hypernyms": [["b", "top"], ["c"], ["top"]]})
    lexicon = Lexicon(pa.table({"word": ["a"], "label": ["a"], "rank": [1], "name": [False]}), hypernyms)
    assert Context(lexicon).likeness("a", "top") == 1 / 2


@pytest.mark.parametrize(("distance", "likeness"), [(MAX_DISTANCE, 1 / (1 + MAX_DISTANCE)), (MAX_DISTANCE + 1, 0)])
def test_labels_far_apart_have_nothing_in_common(distance, likeness):
    chain = [str(number) for number in range(distance + 1)]
    hypernyms = pa.table({"label": chain[:-1], "hypernyms": [[wider] for wider in chain[1:]]})
    lexicon = Lexicon(pa.table({"word": ["a"], "label": ["0"], "rank": [1], "name": [False]}), hypernyms)
    assert Context(lexicon).likeness(chain[0], chain[-1]) == likeness


def test_the_candidate_closest_to_the_others_is_chosen(animals):
    context = Context(animals)
    assert context.choose([BIRD, DERRICK], [MACHINE]) == DERRICK
    assert context.choose([DERRICK, BIRD], [DOG, "instagood"]) == BIRD
    assert context.choose([BIRD, DERRICK], [MACHINE, DOG]) == DERRICK  # 1/2 against 1/3
    assert context.choose([BIRD, DERRICK], [MACHINE, DOG, CAT]) == BIRD  # 1/2 against 2/3


@pytest.mark.parametrize("others", [[], ["instagood"]])
def test_without_evidence_the_usual_meaning_is_chosen(animals, others):
    assert Context(animals).choose([BIRD, DERRICK], others) == BIRD
