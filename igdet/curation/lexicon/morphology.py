"""English plurals, by WordNet's own rules: a list of irregular ones, and endings to detach."""

from collections.abc import Iterable, Iterator
from functools import cache

import pyarrow as pa

from igdet.curation.lexicon.shipped import FOLDER, IRREGULAR_NAME
from igdet.curation.normalising import word_forms

# Plural ending -> singular ending, in the order of trial: https://wordnet.princeton.edu/documentation/morphy7wn
DETACHMENTS = (
    ("s", ""),
    ("ses", "s"),
    ("xes", "x"),
    ("zes", "z"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("men", "man"),
    ("ies", "y"),
)


def plurals(words: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Give every plural that leads to one of the words.

    Args:
        words: singular nouns, as normal forms.

    Yields:
        plural (normal form), its singular out of `words`, and the rule: "irregular" or "plural". A plural of several
        words comes several times, the likeliest first.
    """
    known = dict.fromkeys(words)
    yield from ((plural, singular, "irregular") for plural, singular in irregular_plurals() if singular in known)
    for plural_end, singular_end in DETACHMENTS:
        for word in known:
            # morphy takes nothing off a word that ends in "ss": "glass" is not the plural of "glas"
            if word.endswith(singular_end) and not (plural := _ending(word, singular_end, plural_end)).endswith("ss"):
                yield plural, word, "plural"


def _ending(word: str, old: str, new: str) -> str:
    return word[: len(word) - len(old)] + new


@cache
def irregular_plurals() -> tuple[tuple[str, str], ...]:
    """Give WordNet's irregular plurals as pairs (plural, singular) of normal forms."""
    lines = (FOLDER / IRREGULAR_NAME).read_text(encoding="ascii").splitlines()
    pairs = [(plural, singular) for plural, *singulars in map(str.split, lines) for singular in singulars]
    columns = (word_forms(pa.array(column)).to_pylist() for column in zip(*pairs, strict=True))
    return tuple(zip(*columns, strict=True))
