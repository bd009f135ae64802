"""Which labels a target class stands for: by its wnid, by its names, or by the last word of a name."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from igdet.curation.canonical import Canonicaliser
from igdet.curation.label_table import rows_of_tags
from igdet.curation.lexicon import Lexicon
from igdet.curation.normalising import word_forms
from igdet.curation.targets import TargetClass


class TargetMatch(NamedTuple):
    """What a target class was found to be.

    Attributes:
        key: the class.
        labels: the labels it stands for, of the lexicon or of the table; () when unmatched.
        forms: normal forms of its names and of the labels' words.
        rule: a key of `RULES`, or "unmatched".
    """

    key: str
    labels: tuple[str, ...]
    forms: frozenset[str]
    rule: str


def match_targets(classes: Iterable[TargetClass], labels: pa.Table, lexicon: Lexicon) -> list[TargetMatch]:
    """Find the labels of target classes, by the first rule of `RULES` that finds any.

    Args:
        classes: the target classes.
        labels: the table of labels; its hashtags are known beside the lexicon's words.
        lexicon: words and their labels.

    Returns:
        One match a class, in their order.
    """
    keys = labels["label"].to_pylist()
    find = _WordFinder(lexicon, {tag: keys[row] for tag, row in rows_of_tags(labels).items()})
    return [_match(target, find) for target in classes]


def rows_of_matches(labels: pa.Table, matches: Iterable[TargetMatch], lexicon: Lexicon) -> list[dict[int, float]]:
    """Find the rows whose hashtags are names of a class.

    Args:
        labels: the table of labels.
        matches: what the classes are.
        lexicon: the senses of words.

    Returns:
        For each match the rows, with a score in (0, 1]: 1 for the class itself, and for hashtags that mean nothing
        else; 1/k where the class is only the k-th sense of a hashtag that counts as another label.
    """
    row_of_label = {label: row for row, label in enumerate(labels["label"].to_pylist())}
    row_of_tag = rows_of_tags(labels)
    found = []
    for match in matches:
        rows: dict[int, float] = {}
        for form in sorted(match.forms & row_of_tag.keys()):
            if score := _sense_score(lexicon.labels_of(form), match.labels):
                rows[row_of_tag[form]] = max(score, rows.get(row_of_tag[form], 0))
        found.append(rows | {row_of_label[label]: 1.0 for label in match.labels if label in row_of_label})
    return found


def _sense_score(senses: Sequence[str], meant: Sequence[str]) -> float:
    """Score a word by the first of its senses that is meant; 0 when it has senses, but none of these."""
    ranks = (rank for rank, sense in enumerate(senses, start=1) if sense in meant)
    return 1 / next(ranks, math.inf) if senses else 1.0


class _WordFinder:
    """From a word to the labels it is a name of: those its hashtag counts as, else the lexicon's, plural or not."""

    def __init__(self, lexicon: Lexicon, label_of_tag: Mapping[str, str]):
        self.lexicon = lexicon
        self._label_of_tag = label_of_tag
        self._canonicaliser = Canonicaliser(lexicon)

    def __call__(self, word: str) -> tuple[str, ...]:
        form = hashtag_form(word)
        label = self._label_of_tag.get(form)
        if label is None and form:
            label = self._canonicaliser.canonical(form).label
            label = label if self.lexicon.words_of(label) else None
        return (label,) if label else ()


def hashtag_form(name: str) -> str:
    """Give the normal form of the hashtag that a name makes: "Clark's nutcracker" becomes "clarksnutcracker"."""
    return word_forms(pa.array([name], pa.string()))[0].as_py()


def _match(target: TargetClass, find: _WordFinder) -> TargetMatch:
    for rule, labels_of in RULES.items():
        if labels := labels_of(target, find):
            forms = {word for label in labels for word in find.lexicon.words_of(label)}
            forms |= set(map(hashtag_form, target.names)) if rule != "last word" else set()
            return TargetMatch(target.key, labels, frozenset(forms - {""}), rule)
    return TargetMatch(target.key, (), frozenset(), "unmatched")


def _by_wnid(target: TargetClass, find: _WordFinder) -> tuple[str, ...]:
    # A synset none of whose words is used as a hashtag is known by its hypernyms alone.
    known = find.lexicon.words_of(target.wnid) or find.lexicon.hypernyms(target.wnid)
    return (target.wnid,) if known else ()


def _by_name(target: TargetClass, find: _WordFinder) -> tuple[str, ...]:
    return tuple(dict.fromkeys(label for name in target.names for label in find(name)))


def _by_last_word(target: TargetClass, find: _WordFinder) -> tuple[str, ...]:
    last_words = (name.split()[-1] for name in target.names if len(name.split()) > 1)
    return tuple(dict.fromkeys(label for word in last_words for label in find(word)))


# Tried in this order.
RULES: dict[str, Callable[[TargetClass, _WordFinder], tuple[str, ...]]] = {
    "wnid": _by_wnid,
    "name": _by_name,
    "last word": _by_last_word,
}
