"""Hashtags out of captions, separated strings and lists, a column at a time."""

import html
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from igdet.formats.posts.values import are_lists, is_missing, listed

# Hashtags are typed by hand; longer ones are joined words, or no hashtags.
MAX_TAG_LENGTH = 100
# Photo sites allow 30 to 75 hashtags a post.
MAX_TAGS = 100

HASH = "[#＃﹟]"  # ASCII, full-width, small
# Characters without a width of their own: joiners, direction marks, soft hyphens, the BOM, the letters of flag emoji.
_HIDDEN = (
    r"\x{00AD}\x{061C}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{FE0E}\x{FE0F}\x{FEFF}\x{E0020}-\x{E007F}"
)
_EMOJI = r"\x{2300}-\x{23FF}\x{24B6}-\x{24E9}\x{2600}-\x{27BF}\x{2B00}-\x{2BFF}\x{1F000}-\x{1FAFF}"
_VISIBLE = r"\p{L}\p{N}" + _EMOJI
# Middle dots are letters' parts in Catalan and Japanese names, geresh and gershayim in Hebrew ones.
_TAG = f"[{_VISIBLE}{_HIDDEN}" + r"\p{M}_·・\x{05F3}\x{05F4}]"
_DOTS = "·・"  # between two hashtags, or behind the last one, they are no part of any
# A web address ends at a white space, a letter of a script without white spaces, or a "#" behind punctuation.
_LETTER = r"\p{Latin}\p{Greek}\p{Cyrillic}"
_ADDRESS = rf"(?:[!-(*-+\--:<-\\^-~{_LETTER}]|[,;)\]][!-\"$-~])"
_DOMAIN = rf"(?:[{_LETTER}0-9-]+\.)+[{_LETTER}]{{2,}}"
# Not hashtags, although they hold a "#": parts of addresses, with a scheme or without (www.shop.example/#sale,
# shop.example/page#top; but not what follows a hashtag), HTML's numbered characters, the keycap emoji. What stands
# before an address is the group, and stays.
_NO_TAG = (
    rf"(?i)\b[a-z][a-z0-9+.-]*://{_ADDRESS}+|\bwww\.{_ADDRESS}+"
    rf"|(^|[^#＃﹟\pL\pN_.-]){_DOMAIN}(?::\d+)?[/?][!-\"$-~{_LETTER}]*#{_ADDRESS}*"
    r"|&#\w{1,7};|#\x{FE0F}?\x{20E3}"
)
_ENTITY = r"&#?\w{1,31};"
_MAX_ESCAPED = 3  # times: &amp;amp;#39;
# HTML within a word leaves it one word, as in Mastodon's #<span>cat</span>; all other HTML ends it.
_ATTRIBUTES = r"""(?:\s+[\w:@.-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s<>"']+))?)*\s*/?>"""
_INLINE = rf"(?i)</?(?:span|b|i|em|strong|mark|u|font|wbr|small|big|s)\b{_ATTRIBUTES}"
_BLOCKS = (
    "a|p|br|div|img|li|ul|ol|h[1-6]|blockquote|hr|td|tr|th|table|tbody|code|pre|section|figure|figcaption|article|del"
)
_ELEMENT = rf"(?i)</?(?:{_BLOCKS})\b{_ATTRIBUTES}"
_BETWEEN = r"[\s\pZ,，、;；|#＃﹟]+"
_CUT_OFF = HASH + _TAG + r"*(…|\.\.+)\s*$"


class Limited(NamedTuple):
    """Hashtags within the limits, and what the limits cost.

    Attributes:
        tags: list<string> (n,).
        long_tags: number of hashtags dropped because they have more than MAX_TAG_LENGTH characters.
        crowded_posts: number of posts cut to their first MAX_TAGS hashtags.
    """

    tags: pa.ListArray
    long_tags: int
    crowded_posts: int


def tags_of_captions(captions: pa.Array) -> pa.ListArray:
    """Find the `#tags` of each caption.

    A hashtag is a "#" with the letters, marks, digits, underscores and emoji of any script that follow it, so that
    `#a#b` and `##a` are read as people mean them. A last hashtag that ends in an ellipsis was cut off and is left out.

    Args:
        captions: strings (n,), also with HTML and its entities; null counts as "".

    Returns:
        list<string> (n,): the hashtags as written, without "#", in order, repeats kept.
    """
    text = pc.replace_substring_regex(_without_markup(_text(captions)), _NO_TAG, r"\1 ")
    text = pc.replace_substring_regex(text, _CUT_OFF, "")
    pieces = pc.split_pattern_regex(text, HASH + "+")
    first = pieces.offsets.to_numpy()[:-1]  # what comes before the first "#" is no hashtag
    before = np.zeros(len(pieces.values), bool)
    before[first] = True
    tags = pc.utf8_trim(pc.extract_regex(pieces.values, f"^(?P<tag>{_TAG}+)").field("tag"), _DOTS)
    return _keep(pieces, tags, _is_visible(tags) & ~before)


def tags_of_strings(strings: pa.Array, separator: str | None = None) -> pa.ListArray:
    """Split strings that list hashtags.

    Args:
        strings: strings (n,) such as "#bear, #zoo", or lists as text such as "['bear', 'zoo']"; null, and what stands
            for it in a text ("nan", "None", ...), counts as "".
        separator: what is between two hashtags; None for white space, commas, semicolons and vertical bars.

    Returns:
        list<string> (n,): the hashtags as written, without "#", in order, repeats kept.
    """
    between = _BETWEEN if separator is None else f"(?:{_escaped(separator)}|{HASH})"
    text = pc.if_else(is_missing(strings), "", _text(strings))
    pieces = pc.split_pattern_regex(text, between)
    tags = pc.utf8_trim(pc.utf8_trim_whitespace(pieces.values), _DOTS)
    split = _keep(pieces, tags, _is_visible(tags))
    as_lists = are_lists(text, separator is None)
    if not as_lists.true_count:
        return split
    lists = pa.array(listed(text.filter(as_lists).to_pylist()), split.type)
    row_of_list = pc.cumulative_sum(as_lists.cast(pa.int32()))
    return where(as_lists, tags_of_lists(lists.take(pc.subtract(pc.if_else(as_lists, row_of_list, None), 1))), split)


def where(chosen: pa.Array, lists: pa.ListArray, others: pa.ListArray | None = None) -> pa.ListArray:
    """Take each row's list where it is chosen, elsewhere that of `others`, or an empty one.

    Args:
        chosen: bool (n,).
        lists, others: list<string> (n,).
    """
    others = pa.array([[]] * len(lists), lists.type) if others is None else others
    rows = np.arange(len(lists))
    picked = np.where(chosen.to_numpy(zero_copy_only=False), rows, rows + len(lists))
    return pa.concat_arrays([lists, others]).take(pa.array(picked))


def tags_of_lists(lists: pa.ListArray) -> pa.ListArray:
    """Clean lists of hashtags: the "#" goes, glued ones are parted, empty and null ones are left out.

    Args:
        lists: list<string> (n,); null counts as an empty list.

    Returns:
        list<string> (n,): the hashtags as written, without "#", in order, repeats kept.
    """
    pieces = pc.split_pattern_regex(_text(lists.flatten()), HASH + "+")
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    offsets = pieces.offsets.to_numpy()[np.concatenate([[0], np.cumsum(lengths)])]
    posts = pa.ListArray.from_arrays(offsets.astype(np.int32), pieces.values)
    tags = pc.utf8_trim(pc.utf8_trim_whitespace(pieces.values), _DOTS)
    return _keep(posts, tags, _is_visible(tags))


def limited(lists: pa.ListArray) -> Limited:
    """Hold hashtags to MAX_TAG_LENGTH characters each and posts to MAX_TAGS hashtags each.

    Args:
        lists: list<string> (n,), as the other functions of this module give it.

    Returns:
        The hashtags without those that are too long, then each post's first MAX_TAGS, with counts of both.
    """
    short = pc.less_equal(pc.utf8_length(lists.values), MAX_TAG_LENGTH).to_numpy(zero_copy_only=False)
    kept = _keep(lists, lists.values, short)
    lengths = np.diff(kept.offsets.to_numpy())
    rank = np.arange(len(kept.values)) - np.repeat(kept.offsets.to_numpy()[:-1], lengths)
    return Limited(_keep(kept, kept.values, rank < MAX_TAGS), int(np.sum(~short)), int(np.sum(lengths > MAX_TAGS)))


def _without_markup(text: pa.Array) -> pa.Array:
    """Take HTML out of those few texts that hold any."""
    escaped = pc.match_substring_regex(text, _ENTITY)
    if escaped.true_count:
        text = pc.replace_with_mask(
            text, escaped, pa.array(map(_unescaped, text.filter(escaped).to_pylist()), text.type)
        )
    marked = pc.match_substring_regex(text, "<[/A-Za-z]")
    if marked.true_count:
        plain = pc.replace_substring_regex(text.filter(marked), _INLINE, "")
        text = pc.replace_with_mask(text, marked, pc.replace_substring_regex(plain, _ELEMENT, " "))
    return text


def _unescaped(text: str) -> str:
    """Undo the escaping of characters in HTML, which exports do twice at times: &amp;#39;."""
    for _ in range(_MAX_ESCAPED):
        before, text = text, html.unescape(text)
        if text == before:
            break
    return text.encode(errors="replace").decode()  # &#xD800; is no character


def _text(strings: pa.Array) -> pa.Array:
    return pc.fill_null(strings.cast(pa.string()), "")


def _escaped(separator: str) -> str:
    return "".join(rf"\x{{{ord(character):x}}}" for character in separator)


def _is_visible(tags: pa.Array) -> np.ndarray:
    """Tell which hashtags, bool (m,), hold anything that can be seen; null ones do not."""
    return pc.fill_null(pc.match_substring_regex(tags, f"[{_VISIBLE}]"), False).to_numpy(zero_copy_only=False)


def _keep(lists: pa.ListArray, values: pa.Array, kept: np.ndarray) -> pa.ListArray:
    """Return lists of those `values` (m,) where `kept`, bool (m,), is true, parted as `lists` parts its m values."""
    before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int32)
    return pa.ListArray.from_arrays(before[lists.offsets.to_numpy()], values.filter(pa.array(kept)))
