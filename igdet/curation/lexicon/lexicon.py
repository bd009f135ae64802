"""A lexicon: which labels a word can mean, which words name a label, and which label is wider than which."""

from collections.abc import Iterable
from functools import cached_property
from os import PathLike
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation.lexicon import wordnet
from igdet.curation.lexicon.table import read_table


class Lexicon:
    """Words and their labels; make one with `Lexicon.wordnet` or `Lexicon.read`.

    Args:
        senses: one row for each meaning of a word, the words of a label in the order of their weight. Columns: word
            (string, normal form), label (string), rank (int; orders the meanings of a word) and name (bool; the word
            is a proper name, which has no plural).
        hypernyms: columns label (string) and hypernyms (list<string>); None when nothing is wider than anything.
    """

    digest = ""  # of all that the lexicon is made of, where what is derived from it is worth keeping

    def __init__(self, senses: pa.Table, hypernyms: pa.Table | None = None):
        self._tables = senses, hypernyms

    @classmethod
    def wordnet(cls) -> "Lexicon":
        """Return the nouns of WordNet 3.0; labels are wnids such as "n02132136"."""
        return _WordNet()

    @classmethod
    def read(cls, path: str | PathLike) -> "Lexicon":
        """Read a table of two columns, word and label; of several labels of a word the first row's comes first.

        Args:
            path: a .csv, .tsv or .parquet file.

        Raises:
            LexiconError: the file cannot be read, lacks a column, or a row holds no word or no label.
        """
        return cls(read_table(Path(path)))

    @cached_property
    def _senses(self) -> pa.Table:
        return self._tables[0]

    @cached_property
    def _hypernyms(self) -> pa.Table | None:
        return self._tables[1]

    @cached_property
    def _labels_of(self) -> dict[str, tuple[str, ...]]:
        by_rank = self._senses.sort_by("rank")
        return _grouped(by_rank["word"].to_pylist(), by_rank["label"].to_pylist())

    @cached_property
    def _words_of(self) -> dict[str, tuple[str, ...]]:
        return _grouped(self._senses["label"].to_pylist(), self._senses["word"].to_pylist())

    @cached_property
    def _hypernyms_of(self) -> dict[str, tuple[str, ...]]:
        return _grouped(*self._edges)

    @cached_property
    def _hyponyms_of(self) -> dict[str, tuple[str, ...]]:
        return _grouped(*reversed(self._edges))

    @property
    def _edges(self) -> tuple[list[str], list[str]]:
        """Labels, and for each of them one that is wider."""
        if self._hypernyms is None:
            return [], []
        wider = self._hypernyms["hypernyms"].combine_chunks()
        return self._hypernyms["label"].take(pc.list_parent_indices(wider)).to_pylist(), wider.flatten().to_pylist()

    @property
    def words(self) -> Iterable[str]:
        """Every word, as a normal form."""
        return self._labels_of.keys()

    @cached_property
    def names(self) -> frozenset[str]:
        """The words that are proper names in every meaning, as normal forms."""
        meanings = self._senses.group_by("word").aggregate([("name", "all")])
        return frozenset(meanings.filter(meanings["name_all"])["word"].to_pylist())

    def labels_of(self, normal: str) -> tuple[str, ...]:
        """Return the labels that a word can mean, the usual one first; () when it is no word of the lexicon.

        Args:
            normal: a normal form, see `igdet.formats.vocabulary.normalise_tag`.
        """
        return self._labels_of.get(normal, ())

    def words_of(self, label: str) -> tuple[str, ...]:
        """Return the words that can mean a label, as normal forms, its canonical name first; () for an unknown one."""
        return self._words_of.get(label, ())

    def hypernyms(self, label: str) -> tuple[str, ...]:
        """Return the labels that are directly wider than a label."""
        return self._hypernyms_of.get(label, ())

    def heights(self, label: str, most: int | None = None) -> dict[str, int]:
        """Return a label and all that is wider, with the least number of edges to each.

        Args:
            label: where to begin.
            most: edges; None: however many.
        """
        heights: dict[str, int] = {}
        level, height = {label}, 0
        while level and (most is None or height <= most):
            heights |= dict.fromkeys(level, height)
            level = {wider for narrower in level for wider in self.hypernyms(narrower)} - heights.keys()
            height += 1
        return heights

    def hyponyms(self, label: str) -> tuple[str, ...]:
        """Return the labels that are directly narrower than a label."""
        return self._hyponyms_of.get(label, ())


class _WordNet(Lexicon):
    """WordNet's nouns, read when they are asked for: that takes a second."""

    def __init__(self) -> None:
        self.digest = wordnet.digest()

    @cached_property
    def _senses(self) -> pa.Table:
        return wordnet.read_senses()

    @cached_property
    def _hypernyms(self) -> pa.Table | None:
        return wordnet.read_hypernyms()


def _grouped(keys: Iterable[str], values: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the distinct values of each key, in order."""
    groups: dict[str, dict[str, None]] = {}
    for key, value in zip(keys, values, strict=True):
        groups.setdefault(key, {})[value] = None
    return {key: tuple(group) for key, group in groups.items()}
