"""Normal forms of many hashtags at once, and English plurals by WordNet's own rules."""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from igdet.formats.vocabulary import normalise_tag

# What `igdet.formats.vocabulary.normalise_tag` drops of ASCII: white space as Python counts it, underscores, hyphens.
_ASCII_DROPPED = r"[\t-\r\x1c-\x20_\-]+"
FOLDER = Path(__file__).parent
TABLE_NAME = "wordnet.parquet"  # WordNet as it is; the columns are `wordnet_files.SCHEMA`
LICENCE_NAME = "WORDNET_LICENSE"
IRREGULAR_NAME = "noun.exc"  # WordNet's irregular plurals as they are: "plural singular..." a line
JUDGED_NAME = "hashtag_senses.csv"  # our own: word, label ("" for none), reason
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


def normal_forms(tags: pa.Array) -> pa.Array:
    """Return the normal form of each hashtag; the same as `normalise_tag` on each of them, but faster.

    Args:
        tags: strings (n,), without nulls.

    Returns:
        strings (n,), as `igdet.formats.vocabulary.normalise_tag` returns them.
    """
    ascii_only = pc.string_is_ascii(tags)
    if ascii_only.true_count == len(tags):
        return _ascii_forms(tags)
    return pc.replace_with_mask(_ascii_forms(tags), pc.invert(ascii_only), _other_forms(tags, ascii_only))


def _ascii_forms(tags: pa.Array) -> pa.Array:
    lower = pc.ascii_lower(tags)
    affected = pc.match_substring_regex(lower, _ASCII_DROPPED)  # few hashtags are, and replacing is slow
    cleaned = pc.replace_substring_regex(lower.filter(affected), _ASCII_DROPPED, "")
    return pc.ascii_ltrim(pc.replace_with_mask(lower, affected, cleaned), characters="#")


def _other_forms(tags: pa.Array, ascii_only: pa.Array) -> pa.Array:
    others = tags.filter(pc.invert(ascii_only)).to_pylist()
    return pa.array(map(normalise_tag, others), tags.type)


def word_forms(words: pa.Array) -> pa.Array:
    """Return the normal form that words of a language have as hashtags, which hold no punctuation: "St._Patrick's_Day".

    Args:
        words: strings (n,), without nulls; spaces, underscores and punctuation allowed.

    Returns:
        strings (n,); "" for a word of punctuation alone.
    """
    return normal_forms(pc.replace_substring_regex(words, "[[:punct:]’]+", ""))


def plurals(words: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yield every plural that leads to one of the words.

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
    """Return WordNet's irregular plurals as pairs (plural, singular) of normal forms."""
    lines = (FOLDER / IRREGULAR_NAME).read_text(encoding="ascii").splitlines()
    pairs = [(plural, singular) for plural, *singulars in map(str.split, lines) for singular in singulars]
    columns = (word_forms(pa.array(column)).to_pylist() for column in zip(*pairs, strict=True))
    return tuple(zip(*columns, strict=True))
