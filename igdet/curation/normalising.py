"""Normal forms of many hashtags at once: Arrow kernels for ASCII, Python for the rest."""

import pyarrow as pa
import pyarrow.compute as pc

from igdet.vocabulary import normalise_tag

# What `igdet.vocabulary.normalise_tag` drops of ASCII: white space as Python counts it, underscores, hyphens.
_ASCII_DROPPED = r"[\t-\r\x1c-\x20_\-]+"


def normal_forms(tags: pa.Array) -> pa.Array:
    """Give the normal form of each hashtag; the same as `normalise_tag` on each of them, but faster.

    Args:
        tags: strings (n,), without nulls.

    Returns:
        strings (n,), as `igdet.vocabulary.normalise_tag` gives them.
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
    """Give the normal form that words of a language have as hashtags, which hold no punctuation: "St._Patrick's_Day".

    Args:
        words: strings (n,), without nulls; spaces, underscores and punctuation allowed.

    Returns:
        strings (n,); "" for a word of punctuation alone.
    """
    return normal_forms(pc.replace_substring_regex(words, "[[:punct:]’]+", ""))
