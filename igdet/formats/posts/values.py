"""Values as they stand in JSON and in cells: found by a path, as text, as hashtags; and texts that mean nothing."""

import ast
import json
import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

# What pandas, Python, SQL, MySQL and Excel write where there is no value. People write #nan and #none: with a "#", in a
# list or in other letters these are hashtags.
MISSING = ("nan", "NaN", "NAN", "<NA>", "None", "null", "NULL", "\\N", "#N/A", "N/A")
# Under which an object holds its hashtag: Mastodon, Twitter (two versions), Flickr.
NAME_KEYS = ("name", "text", "tag", "hashtag", "_content")
# A list as a text: Python's and JSON's, NumPy's without commas, PostgreSQL's in braces.
_LIST = r"(?s)^\s*(\[.*\]|\(.*\)|\{.*\})\s*$"
_QUOTED_LIST = r"""(?s)^\s*[\[({]\s*([ub]?['"{].*)?[\])}]\s*$"""
_ENTRY = re.compile(r"""[bu]?"((?:[^"\\]|\\.)*)"|[bu]?'((?:[^'\\]|\\.)*)'|([^\s,;'"\[\](){}]+)""", re.DOTALL)
_OBJECTS = re.compile(r"\s*[\[(]?\s*\{\s*['\"][^'\"]*['\"]\s*:")


def parsed_line(line: str) -> dict | None:
    """Read a line of JSON; None for one that is no object."""
    try:
        post = json.loads(line.removeprefix("\ufeff"))
    except (ValueError, RecursionError):  # the latter: brackets by the thousand
        return None
    return post if isinstance(post, dict) else None


def field(post: object, path: str) -> object:
    """Follow a dotted path; None where it leads nowhere.

    Args:
        post: an object.
        path: names of fields; a number leads into a list, a name of its objects gives a list of what is there.
    """
    for name in [path] if isinstance(post, dict) and path in post else path.split("."):
        post = _step(post, name)
    return post


def _step(value: object, name: str) -> object:
    if isinstance(value, dict):
        return value.get(name)
    if not isinstance(value, list):
        return None
    if name.isdecimal():
        return value[int(name)] if len(name) < 10 and int(name) < len(value) else None
    return [entry.get(name) for entry in value if isinstance(entry, dict)] or None


def as_text(value: object) -> str | None:
    """Return a text or a whole number as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    if isinstance(value, str):
        return _encodable(value)
    return f"{value:d}" if value.bit_length() < 1000 else None


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()  # half of a surrogate pair, as a cut caption has, is no text


def as_hashtags(value: object) -> list[str] | None:
    """Return the hashtags of a list of texts, or of objects that name them; None for anything else."""
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return None
    names = [_name(entry) for entry in value]
    return [_encodable(name) for name in names if isinstance(name, str)]


def _name(entry: object) -> object:
    if not isinstance(entry, dict):
        return entry
    return next((entry[key] for key in NAME_KEYS if isinstance(entry.get(key), str)), None)


def is_missing(texts: pa.Array) -> pa.Array:
    """Tell which texts (n,) are null, empty or one of `MISSING`, as bool (n,)."""
    trimmed = pc.utf8_trim_whitespace(pc.fill_null(texts, ""))
    return pc.is_in(trimmed, pa.array(["", *MISSING], trimmed.type))


def are_lists(texts: pa.Array, also_bare: bool) -> pa.Array:
    """Tell which texts are lists written as text.

    Args:
        texts: strings (n,), without nulls.
        also_bare: whether entries need no quotation marks, as in "[cat, dog]".

    Returns:
        bool (n,).
    """
    return pc.match_substring_regex(texts, _LIST if also_bare else _QUOTED_LIST)


def listed(texts: Sequence[str]) -> list[list[str]]:
    """Read lists that were written as text: "['cat', 'dog']", '["cat","dog"]', "['cat' 'dog']", "{cat,dog}"."""
    return [_listed(text) for text in texts]


def _listed(text: str) -> list[str]:
    if _OBJECTS.match(text):
        return as_hashtags(_literal(text)) or []
    entries = [double or single or ("" if bare in MISSING else bare) for double, single, bare in _ENTRY.findall(text)]
    return [_unescaped(entry) if "\\" in entry else entry for entry in entries]


def _literal(text: str) -> object:
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None


def _unescaped(entry: str) -> str:
    """Undo the escapes that JSON and Python share, such as \\u00e9; the two halves of a pair are joined."""
    try:
        text = json.loads('"' + entry.replace("\\'", "'").replace("\\x", "\\u00") + '"')
    except ValueError:
        text = entry.replace("\\", "")
    return as_text(text) or ""
