"""The hashtag habit: each probability at its extremes, and on average."""

import numpy as np
import pytest

from igdet.formats.vocabulary import Vocabulary, normalise_tag
from igdet.world.habit import FUNCTIONAL_TAGS, SPELLINGS, Habit, write_hashtags, zipf
from igdet.world.taxonomy import Synset, hashtag_of, vocabulary_of

SYNSETS = {
    "w1": Synset(("brown bear", "ursus arctos"), "w9"),
    "w2": Synset(("owl",), "w9"),
    "w9": Synset(("animal",)),
}
SOBER = Habit(
    synonym_skew=0, missing=0, wider=0, wrong=0, replaced=0, misspelt=0, functional_tags=0
)  # tells the truth and nothing else


def labels(wnids, habit, seed=0):
    tags = write_hashtags(wnids, SYNSETS, habit, np.random.default_rng(seed))
    return vocabulary_of(SYNSETS.values()).ids(tags).tolist()


def test_zipf_by_hand():
    np.testing.assert_allclose(zipf(3, 1), np.array([6, 3, 2]) / 11)
    np.testing.assert_allclose(zipf(4, 0), 0.25)


def test_a_sober_habit_tells_the_truth_in_every_spelling_and_synonym():
    assert all(labels(["w1", "w2"], SOBER, seed) == [0, 1] for seed in range(30))
    written = {write_hashtags(["w1"], SYNSETS, SOBER, np.random.default_rng(seed))[0] for seed in range(100)}
    assert written == {"#brownbear", "#BrownBear", "#brown_bear", "#ursusarctos", "#UrsusArctos", "#ursus_arctos"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"missing": 1}, []), ({"wider": 1}, [0, 2]), ({"missing": 1, "wider": 1}, [2])],
)
def test_certain_habits(change, expected):
    assert labels(["w1"], Habit(**{**vars(SOBER), **change})) == expected


def test_replaced_and_wrong_tags_name_other_classes():
    replaced = [tuple(labels(["w1"], Habit(**{**vars(SOBER), "replaced": 1}), seed)) for seed in range(50)]
    assert set(replaced) == {(1,), (2,)}  # never the class itself
    wrong = [labels(["w1"], Habit(**{**vars(SOBER), "wrong": 1}), seed) for seed in range(50)]
    assert all(0 in ids and len(ids) == 2 for ids in wrong)


def test_functional_tags_are_no_labels():
    habit = Habit(**{**vars(SOBER), "functional_tags": 3})
    tags = [tag for seed in range(200) for tag in write_hashtags(["w2"], SYNSETS, habit, np.random.default_rng(seed))]
    functional = [tag for tag in tags if normalise_tag(tag) in FUNCTIONAL_TAGS]
    assert 2.5 < len(functional) / 200 < 3.5 and len(tags) == len(functional) + 200


def test_misspelt_tags_are_mostly_unknown():
    habit = Habit(**{**vars(SOBER), "misspelt": 1})
    known = [bool(labels(["w1"], habit, seed)) for seed in range(200)]
    assert np.mean(known) < 0.1  # a letter may be replaced by itself


def test_shares_follow_the_probabilities():
    habit = Habit(**{**vars(SOBER), "missing": 0.2, "wider": 0.3})
    found = [labels(["w1"], habit, seed) for seed in range(2000)]
    assert abs(np.mean([0 not in ids for ids in found]) - 0.2) < 0.03  # three standard errors
    assert abs(np.mean([2 in ids for ids in found]) - 0.3) < 0.03


def test_all_spellings_of_a_lemma_are_one_hashtag():
    for lemma in ("hot air balloon", "owl", "jack-o'-lantern", "lion's mane"):
        assert {normalise_tag(spell(list(map(hashtag_of, lemma.split())))) for spell in SPELLINGS} == {
            normalise_tag(hashtag_of(lemma))
        }


def test_the_same_generator_gives_the_same_tags():
    once, twice = (write_hashtags(["w1"], SYNSETS, Habit(), np.random.default_rng(7)) for _ in range(2))
    assert once == twice


def test_a_photo_of_nothing_may_have_no_tags():
    assert write_hashtags([], SYNSETS, SOBER, np.random.default_rng(0)) == []
    assert isinstance(vocabulary_of([]), Vocabulary)
