"""How people tag their photos: often with other words than the right one, and for other reasons than the image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from igdet.world.taxonomy import Synset, hashtag_of

# Tags that say nothing about what is on a photo.
FUNCTIONAL_TAGS: tuple[str, ...] = (
    "love", "instagood", "photooftheday", "tbt", "happy", "nofilter", "picoftheday", "follow4follow", "weekend",
    "vibes", "throwback", "goodmorning", "selfcare", "travel", "fun", "art",
)  # fmt: skip
_LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))


@dataclass(frozen=True)
class Habit:
    """How tags come about; all but the two exponents and the mean are probabilities, 0..1.

    Attributes:
        class_skew: exponent s of Zipf's law over the classes: the class of rank r has a share in proportion to r^-s.
        synonym_skew: the same over a class's lemmas, the usual one first.
        missing: a thing's own tag is left out.
        wider: the hypernym is tagged (as well, or instead when the own tag is missing).
        wrong: a tag of some other class is added.
        replaced: a thing's own tag is replaced by that of some other class.
        misspelt: a tag has one letter wrong, doubled or dropped.
        functional_tags: mean number of tags that say nothing about the image.
    """

    class_skew: float = 0.5
    synonym_skew: float = 1.0
    missing: float = 0.05
    wider: float = 0.25
    wrong: float = 0.03
    replaced: float = 0.07
    misspelt: float = 0.05
    functional_tags: float = 1.5


def zipf(count: int, exponent: float) -> np.ndarray:
    """Return the shares of `count` ranks under Zipf's law, float64 (count,), summing to 1."""
    weights = np.arange(1, count + 1) ** -float(exponent)
    return weights / weights.sum()


def write_hashtags(
    wnids: Sequence[str], synsets: Mapping[str, Synset], habit: Habit, rng: np.random.Generator
) -> list[str]:
    """Tag a photo the way people do.

    Args:
        wnids: the classes on the photo.
        synsets: the words of these classes, of the classes they may be mistaken for, and of their hypernyms.
        habit: the probabilities.
        rng: the only source of chance.

    Returns:
        Raw hashtags with "#", in random order; possibly none, or the same twice.
    """
    others = [wnid for wnid in synsets if wnid not in wnids] or list(synsets)
    meant = []
    for wnid in wnids:
        if rng.random() >= habit.missing:
            meant.append(rng.choice(others) if rng.random() < habit.replaced else wnid)
        if synsets[wnid].hypernym and rng.random() < habit.wider:
            meant.append(synsets[wnid].hypernym)
    if rng.random() < habit.wrong:
        meant.append(rng.choice(others))
    words = [_choose_lemma(synsets[wnid], habit, rng) for wnid in meant]
    words += rng.choice(FUNCTIONAL_TAGS, rng.poisson(habit.functional_tags)).tolist()
    return [_spell(words[i], habit, rng) for i in rng.permutation(len(words))]


def _choose_lemma(synset: Synset, habit: Habit, rng: np.random.Generator) -> str:
    return rng.choice(synset.lemmas, p=zipf(len(synset.lemmas), habit.synonym_skew))


def _spell(words: str, habit: Habit, rng: np.random.Generator) -> str:
    if rng.random() < habit.misspelt:
        words = _misspell(words, rng)
    return "#" + SPELLINGS[rng.integers(len(SPELLINGS))]([hashtag_of(word) for word in words.split()])


def _misspell(word: str, rng: np.random.Generator) -> str:
    at = rng.integers(len(word))
    wrong_letter = ("", word[at] * 2, rng.choice(_LETTERS))[rng.integers(3)]
    return word[:at] + wrong_letter + word[at + 1 :]


# Ways to write several words as one hashtag; all have the same normal form.
SPELLINGS = (
    "".join,
    lambda words: "".join(map(str.title, words)),
    "_".join,
)
