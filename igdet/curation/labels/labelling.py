"""From the hashtags of posts to their labels, with counts: each distinct hashtag of a batch is looked up once."""

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation.labels.canonical import Canonicaliser
from igdet.curation.lexicon import Lexicon
from igdet.curation.slices import counts_type, in_first_row
from igdet.formats.vocabulary import normalise_tag

TAG_COUNTS = counts_type(tag=pa.string(), label=pa.string())
REPEATS = counts_type(label=pa.string())
LABELS = pa.list_(pa.dictionary(pa.int32(), pa.string()))  # of a batch, each once: no string is copied or hashed again
FIELDS = pa.struct([("labels", LABELS), ("tag_counts", TAG_COUNTS), ("repeats", REPEATS)])


@dataclass(frozen=True)
class LexiconSettings:
    """How hashtags become labels; see `Canonicaliser`.

    Attributes:
        path: a table of words and labels; "" for the nouns of WordNet 3.0.
        ambiguous: what becomes of a word with several labels: a key of `canonical.AMBIGUOUS`.
        morphology: whether a plural counts as its singular.
    """

    path: str = ""
    ambiguous: str = "first_sense"
    morphology: bool = True

    def read(self) -> Lexicon:
        """Read the lexicon."""
        return Lexicon.read(self.path) if self.path else Lexicon.wordnet()


class Labeller:
    """The batch function of labelling; sent to other machines, it takes its lexicon from the settings there.

    Args:
        settings: how hashtags become labels.
    """

    def __init__(self, settings: LexiconSettings):
        self._settings = settings

    def __call__(self, tags: pa.ListArray) -> pa.StructArray:
        """Label a batch of posts.

        Args:
            tags: list<string> (n,): the hashtags of each post, as written.

        Returns:
            struct (n,) of `FIELDS`: the labels of each post, each once; and in the first row how many posts of the
            batch carry each normal form, with the label only where the post's other hashtags chose it; and how much
            less than the sum of its hashtags' posts a label has, as some posts carry several of them.
        """
        canonicaliser = canonicaliser_of(self._settings)
        meant = _meant(tags, canonicaliser)
        if self._settings.ambiguous == "context":
            meant = _in_context(meant, tags, canonicaliser)
        carried, repeats = _labels(meant)
        columns = [
            _lists(carried, len(tags)),
            in_first_row(_tag_counts(meant), len(tags), TAG_COUNTS),
            in_first_row(_counts(repeats, carried.things), len(tags), REPEATS),
        ]
        return pa.StructArray.from_arrays(columns, fields=list(FIELDS))


class _Carried(NamedTuple):
    """What posts carry, each thing once a post.

    Attributes:
        posts: int32 (m,), ascending: rows of posts.
        codes: int32 (m,), ascending within a post: rows of `things`.
        things: the distinct ones, with a column label; those of one label stand together.
    """

    posts: np.ndarray
    codes: np.ndarray
    things: pa.Table


def _meant(tags: pa.ListArray, canonicaliser: Canonicaliser) -> _Carried:
    """Look up the distinct hashtags; those of one normal form are one thing."""
    lengths = pc.fill_null(pc.list_value_length(tags), 0).to_numpy()
    written = tags.flatten().dictionary_encode()
    found = canonicaliser.table(written.dictionary)
    normal = found["normal"].combine_chunks().dictionary_encode()
    first = np.empty(len(normal.dictionary), dtype=np.int64)
    first[normal.indices.to_numpy()[::-1]] = np.arange(len(found))[::-1]
    things = found.take(pa.array(first)).select(["normal", "label", "rule"]).rename_columns(["tag", "label", "rule"])
    codes = normal.indices.to_numpy()[written.indices.to_numpy()]
    return _carried(np.repeat(np.arange(len(tags), dtype=np.int32), lengths), codes, things)


def _carried(posts: np.ndarray, codes: np.ndarray, things: pa.Table) -> _Carried:
    order = np.argsort(things["label"].combine_chunks().dictionary_encode().indices.to_numpy(), kind="stable")
    places = np.empty(len(things), dtype=np.int32)
    places[order] = np.arange(len(things))
    # Pairs as one number each, in place, for the memory; they are in order of posts already, as a stable sort likes it.
    pairs = np.multiply(posts, len(things), dtype=np.int64)
    pairs += places[codes]
    pairs.sort(kind="stable")
    is_new = _differs(pairs)
    pairs -= np.multiply(posts, len(things), dtype=np.int64)
    return _Carried(posts[is_new], pairs[is_new].astype(np.int32), things.take(pa.array(order)))


def _differs(values: np.ndarray) -> np.ndarray:
    """Tell which values differ from the one before, bool (n,)."""
    differs = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=differs[1:])
    return differs


def _in_context(meant: _Carried, tags: pa.ListArray, canonicaliser: Canonicaliser) -> _Carried:
    """Let the other hashtags of each post choose the label of its ambiguous ones: one thing becomes several."""
    ambiguous = np.flatnonzero(pc.equal(meant.things["rule"], "context").to_numpy()[meant.codes])
    forms = meant.things["tag"].take(pa.array(meant.codes[ambiguous])).to_pylist()
    chosen: dict[tuple[str, str], int] = {}  # (normal form, label) -> its place behind the other things
    codes = meant.codes.copy()
    resolve = lru_cache(maxsize=1)(lambda post: _resolved(tags[post].as_py(), canonicaliser))  # posts come in order
    for pair, post, form in zip(ambiguous, meant.posts[ambiguous].tolist(), forms, strict=True):
        codes[pair] = len(meant.things) + chosen.setdefault((form, resolve(post)[form]), len(chosen))
    rows = [{"tag": form, "label": label, "rule": "context"} for form, label in chosen]
    things = pa.concat_tables([meant.things, pa.Table.from_pylist(rows, meant.things.schema)])
    return _carried(meant.posts, codes, things)


def _resolved(tags: list[str], canonicaliser: Canonicaliser) -> dict[str, str]:
    return {normalise_tag(tag): label for tag, label in zip(tags, canonicaliser.resolve(tags), strict=True)}


def _labels(meant: _Carried) -> tuple[_Carried, np.ndarray]:
    """Return the labels of what was meant, those without a label gone, and the codes of those that a post repeats."""
    labels = meant.things["label"].combine_chunks().dictionary_encode()
    codes = labels.indices.to_numpy()[meant.codes]  # ascending within a post, as things stand by label
    labelled = pc.not_equal(labels.dictionary, "").to_numpy(zero_copy_only=False)[codes]
    is_new = _differs(codes) | _differs(meant.posts)
    once = labelled & is_new
    carried = _Carried(meant.posts[once], codes[once], pa.table({"label": labels.dictionary}))
    return carried, codes[labelled & ~is_new]


def _lists(labels: _Carried, posts: int) -> pa.ListArray:
    offsets = np.zeros(posts + 1, dtype=np.int32)
    np.cumsum(np.bincount(labels.posts, minlength=posts), out=offsets[1:])
    values = pa.DictionaryArray.from_arrays(pa.array(labels.codes), labels.things["label"].combine_chunks())
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _tag_counts(meant: _Carried) -> pa.Table:
    chosen = pc.equal(meant.things["rule"], "context")
    label = pc.if_else(chosen, meant.things["label"], pa.scalar(None, pa.string()))
    return _counts(meant.codes, pa.table({"tag": meant.things["tag"], "label": label}))


def _counts(codes: np.ndarray, things: pa.Table) -> pa.Table:
    """Count each thing; what there is none of is left out."""
    posts = np.bincount(codes, minlength=len(things))
    return things.append_column("posts", pa.array(posts)).filter(pa.array(posts > 0))


def canonicaliser_of(settings: LexiconSettings) -> Canonicaliser:
    """Return the canonicaliser of settings, made once a process."""
    with _LOCK:  # batches come in several threads, and making it takes a second
        return _make_canonicaliser(settings)


@lru_cache(maxsize=1)
def _make_canonicaliser(settings: LexiconSettings) -> Canonicaliser:
    return Canonicaliser(settings.read(), settings.ambiguous, settings.morphology)


_LOCK = Lock()
