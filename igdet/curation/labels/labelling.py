"""From the hashtags of posts to their labels, with counts: each distinct hashtag of a slice is looked up once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation.labels.canonical import Canonicaliser
from igdet.curation.labels.hashtags import LABEL, LABEL_POSTS, POSTS, Hashtags
from igdet.curation.labels.strings import PlainStrings, Strings, make_strings
from igdet.curation.lexicon import Lexicon
from igdet.curation.lexicon.words import normal_forms
from igdet.formats.vocabulary import normalise_tag

LISTS = pa.list_(pa.dictionary(pa.int32(), pa.string()))  # of a batch, each once: no string is copied or hashed again
TAG_COUNTS = pa.schema([("tag", pa.string()), ("label", pa.string()), ("posts", pa.int64())])
REPEATS = pa.schema([("label", pa.string()), ("posts", pa.int64())])
_ROWS = 2**20  # of counts whose strings are copied at once


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
    """Labels the posts of a slice, a batch at a time, and counts what they carry.

    What it returns depends on the batches and their order, and on nothing else.

    Args:
        settings: how hashtags become labels.
        strings: what numbers them, empty; the fastest that there is without it.
    """

    def __init__(self, settings: LexiconSettings, strings: Strings | None = None):
        self._canonicaliser = canonicaliser_of(settings)
        self._hashtags = Hashtags(make_strings() if strings is None else strings)

    def __call__(self, tags: pa.ListArray) -> pa.ListArray:
        """Label a batch of posts.

        Args:
            tags: list<string> (n,): the hashtags of each post, as written.

        Returns:
            `LISTS` (n,): the labels of each post, in the order of its hashtags, each once.
        """
        offsets = np.zeros(len(tags) + 1, np.int32)
        np.cumsum(pc.fill_null(pc.list_value_length(tags), 0), out=offsets[1:])
        numbers = self._add(pc.fill_null(tags.flatten(), ""))
        offsets, labels = self._hashtags.label(offsets, self._meant(numbers, offsets, tags))
        return pa.ListArray.from_arrays(pa.array(offsets), self._encoded(labels))

    def counts(self) -> tuple[pa.Table, pa.Table]:
        """Return what the posts of all batches carry.

        Returns:
            `TAG_COUNTS`: how many posts carry each normal form, with the label only where the post's other hashtags
            chose it. `REPEATS`: how much less than the sum of its hashtags' posts a label has, as some posts carry
            several of them.
        """
        words = self._hashtags.words
        sums = np.bincount(words[:, LABEL], words[:, POSTS], len(words)).astype(np.int64)
        sums[0] = 0  # the posts of what has no label
        return self._tag_counts(words[:, POSTS]), self._repeats(sums - words[:, LABEL_POSTS])

    def _tag_counts(self, posts: np.ndarray) -> pa.Table:
        parts = [[self._strings(some), self._chosen(some), posts[some]] for some in _parts(posts)]
        return _table(parts, TAG_COUNTS)

    def _repeats(self, posts: np.ndarray) -> pa.Table:
        return _table([[self._strings(some), posts[some]] for some in _parts(posts)], REPEATS)

    def _strings(self, numbers: np.ndarray) -> pa.StringArray:
        return self._hashtags.strings.take(numbers)

    def _chosen(self, numbers: np.ndarray) -> pa.StringArray:
        """Return the labels that posts have chosen for forms, null for the others."""
        return pa.nulls(len(numbers), pa.string())

    def _meant(self, numbers: np.ndarray, offsets: np.ndarray, tags: pa.ListArray) -> np.ndarray:
        """Return the numbers that a batch's hashtags count as."""
        return numbers

    def _add(self, strings: pa.StringArray) -> np.ndarray:
        """Return the numbers of strings, whose forms and labels are known then."""
        known = self._hashtags
        numbers = known.strings.add(strings)
        while known.known < len(known.strings):  # a form or a label may be new as well, and has one itself
            new = self._strings(np.arange(known.known, len(known.strings), dtype=np.int32))
            labels, _ = self._canonicaliser.meanings(new)
            known.learn(known.strings.add(normal_forms(new)), known.strings.add(labels))
        return numbers

    def _encoded(self, labels: np.ndarray) -> pa.DictionaryArray:
        """Return numbers as strings, with a dictionary of those that there are."""
        places = np.zeros(self._hashtags.known, np.int32)
        places[labels] = 1
        there = np.flatnonzero(places).astype(np.int32)
        places[there] = np.arange(len(there))
        return pa.DictionaryArray.from_arrays(pa.array(places[labels]), self._strings(there))


class _ContextLabeller(Labeller):
    """Lets the other hashtags of each post choose the label of its ambiguous ones; a form is a word for each label."""

    def __init__(self, settings: LexiconSettings):
        self._plain = PlainStrings()
        super().__init__(settings, self._plain)
        self._label_of: dict[int, str] = {}  # the words that posts chose

    def _chosen(self, numbers: np.ndarray) -> pa.StringArray:
        return pa.array(map(self._label_of.get, numbers.tolist()), pa.string())

    def _meant(self, numbers: np.ndarray, offsets: np.ndarray, tags: pa.ListArray) -> np.ndarray:
        ambiguous = self._ambiguous(numbers)
        places = np.flatnonzero(np.isin(numbers, [*ambiguous]))
        posts = np.searchsorted(offsets, places, side="right") - 1
        forms = [ambiguous[number] for number in numbers[places].tolist()]
        resolve = lru_cache(maxsize=1)(lambda post: _resolved(tags[post].as_py(), self._canonicaliser))  # in order
        labels = [resolve(post)[form] for post, form in zip(posts.tolist(), forms, strict=True)]
        meant = numbers.copy()
        meant[places] = self._words(forms, labels)
        return meant

    def _words(self, forms: Sequence[str], labels: Sequence[str]) -> np.ndarray:
        """Return the numbers of forms with labels, int32 (n,): words beside the forms."""
        label_numbers = self._add(pa.array(labels, pa.string()))
        numbers = self._plain.add_keys([*zip(forms, labels, strict=True)], forms)
        number_of_label = dict(zip(numbers.tolist(), label_numbers.tolist(), strict=True))
        new = np.arange(self._hashtags.known, len(self._plain), dtype=np.int32)
        self._hashtags.learn(new, np.array([number_of_label[number] for number in new.tolist()], np.int32))
        self._label_of.update(zip(numbers.tolist(), labels, strict=True))
        return numbers

    def _ambiguous(self, numbers: np.ndarray) -> dict[int, str]:
        """Return the hashtags whose label a post chooses, with their normal forms."""
        numbers = np.unique(numbers)
        forms = normal_forms(self._strings(numbers))
        is_ambiguous = pc.equal(self._canonicaliser.meanings(forms)[1], "context")
        chosen = (pa.array(numbers).filter(is_ambiguous), forms.filter(is_ambiguous))
        return dict(zip(*(column.to_pylist() for column in chosen), strict=True))


def _resolved(tags: Sequence[str | None], canonicaliser: Canonicaliser) -> dict[str, str]:
    written = [tag or "" for tag in tags]
    return {normalise_tag(tag): label for tag, label in zip(written, canonicaliser.resolve(written), strict=True)}


def _parts(posts: np.ndarray) -> list[np.ndarray]:
    """Return where there are posts, a part at a time, as an array of strings has room for 2 GiB only."""
    numbers = np.flatnonzero(posts).astype(np.int32)
    return [numbers[start : start + _ROWS] for start in range(0, len(numbers), _ROWS)]


def _table(parts: Sequence[Sequence[pa.Array | np.ndarray]], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *(pa.table(part, schema=schema) for part in parts)])


def make_labeller(settings: LexiconSettings) -> Labeller:
    """Return a labeller of a slice."""
    return _ContextLabeller(settings) if settings.ambiguous == "context" else Labeller(settings)


def canonicaliser_of(settings: LexiconSettings) -> Canonicaliser:
    """Return the canonicaliser of settings, made once a process."""
    with _LOCK:  # batches come in several threads, and making it takes a second
        return _make_canonicaliser(settings)


@lru_cache(maxsize=1)
def _make_canonicaliser(settings: LexiconSettings) -> Canonicaliser:
    return Canonicaliser(settings.read(), settings.ambiguous, settings.morphology)


_LOCK = Lock()
