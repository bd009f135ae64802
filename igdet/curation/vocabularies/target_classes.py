"""The classes of a target task, and which labels each stands for: by its wnid, its names, or a last word."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from igdet.curation.labels.canonical import Canonicaliser
from igdet.curation.labels.label_table import rows_of_tags
from igdet.curation.lexicon import Lexicon
from igdet.curation.lexicon.words import word_forms
from igdet.utils.errors import UserError
from igdet.utils.messages import shown

IMAGENET_1K = Path(__file__).with_name("imagenet_1k.txt")
_COCO_SYNSETS = Path(__file__).with_name("coco_synsets.txt")
_WNID = re.compile(r"n\d{8}\b")
# How data sets number and group their class names; the group is what the name is.
_NAME_FORMS = (
    re.compile(r"(?:\d+\s+)?\d+\.(?P<name>.+)"),  # CUB: "1 001.Black_footed_Albatross"
    re.compile(r"/\w/(?P<name>[^/\s]+)(?:/\S+)?(?:\s+\d+)?"),  # Places: "/c/church/indoor 91"
    re.compile(r"#?(?P<name>.+)"),
)


class TargetError(UserError):
    """A file of target classes that cannot be read."""


class TargetClass(NamedTuple):
    """One class of a target task.

    Attributes:
        key: what tells it from the others: its wnid, or its name as the file writes it.
        names: its names, spaces allowed; () for a wnid alone.
        wnid: its WordNet synset, "" when only names are known.
    """

    key: str
    names: tuple[str, ...]
    wnid: str = ""


def read_targets(path: str | PathLike) -> list[TargetClass]:
    """Read the classes of a target task.

    Args:
        path: COCO annotations (`.json`; the synsets of COCO's own categories are known), or UTF-8 text with one class a
            line: a wnid, a wnid and its lemmas as in ImageNet's lists, or a name as CUB, Places or people write it.
            Lines that begin with "# " are comments.

    Raises:
        TargetError: the file is missing, is neither, names no class, or names one twice.
    """
    path = Path(path).expanduser()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TargetError(f"{path}: cannot read the target classes: {error}") from error
    classes = _coco_categories(path, text) if path.suffix == ".json" else _lines(text)
    if not classes:
        raise TargetError(f"{path} names no class; expected one a line, or the categories of a COCO json")
    keys: set[str] = set()
    for key, *_ in classes:
        if key in keys:
            raise TargetError(f"{path}: the class {shown(key)} is listed twice; keep one of them")
        keys.add(key)
    return classes


def _coco_categories(path: Path, text: str) -> list[TargetClass]:
    try:
        names = [category["name"] for category in json.loads(text)["categories"]]
    except (ValueError, KeyError, TypeError) as error:
        raise TargetError(f"{path}: expected COCO's 'categories', each with a 'name': {shown(error)}") from error
    return coco_classes(map(str, names))


def coco_classes(names: Iterable[str]) -> list[TargetClass]:
    """Return what the categories of a detection set are; the synsets of COCO's own are known."""
    wnid_of = {target.names[0]: target.wnid for target in _lines(_COCO_SYNSETS.read_text(encoding="utf-8"))}
    return [TargetClass(name, (name,), wnid_of.get(name, "")) for name in names]


def named_classes(names: Iterable[str]) -> list[TargetClass]:
    """Return what the classes of a classification set are: wnids, or names as CUB, Places or people write them."""
    return [_parse(name) for name in names]


def _lines(text: str) -> list[TargetClass]:
    lines = (line.strip() for line in text.splitlines())
    return [_parse(line) for line in lines if line and line != "#" and not line.startswith("# ")]


def _parse(line: str) -> TargetClass:
    if wnid := _WNID.match(line):
        names = tuple(name.strip() for name in line[wnid.end() :].split(",") if name.strip())
        return TargetClass(wnid[0], names, wnid[0])
    name = next(match["name"] for form in _NAME_FORMS if (match := form.fullmatch(line)))
    return TargetClass(line, (name.replace("_", " "),))


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
    """Return the normal form of the hashtag that a name makes: "Clark's nutcracker" becomes "clarksnutcracker"."""
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
