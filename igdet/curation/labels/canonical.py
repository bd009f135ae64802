"""Canonicalization: which label a hashtag counts as, also by the other hashtags of its post."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation.labels.strings import Strings, make_strings
from igdet.curation.lexicon import Lexicon
from igdet.curation.lexicon.words import normal_forms, plurals
from igdet.formats.vocabulary import normalise_tag
from igdet.utils.cache import CacheError, cache_folder, made_once
from igdet.utils.files import atomic_write
from igdet.utils.hashing import sha256
from igdet.utils.messages import did_you_mean, shown
from igdet.utils.yaml import ConfigError

# Edges; further apart, two labels meet in hypernyms such as "artifact" or "entity", which says nothing.
MAX_DISTANCE = 6
# What becomes of a word with several labels: from the word and its labels to the one label, "" for none.
AMBIGUOUS = {
    "first_sense": lambda word, labels: labels[0],
    "own_label": lambda word, labels: word,
    "drop": lambda word, labels: "",
    "context": lambda word, labels: labels[0],  # until `Canonicaliser.resolve` has seen the post
}
# How a hashtag came to its label: the names of AMBIGUOUS, and these.
RULES = {
    "lemma": "it is a word of the lexicon, with one label",
    "irregular": "it is an irregular plural of such a word",
    "plural": "it is a regular plural of such a word",
    "year": "it is a word or plural, followed by a year",
    "outside": "it is not in the lexicon and is a label of its own",
    "empty": "nothing is left of it; it has no label",
}
# "#brownbear2018" is about a bear; other digits change what a hashtag means: "#route66", "#follow4follow".
_YEAR = re.compile(r"(?:19|20)[0-9]{2}$")
_Meaning = tuple[str, str, str]  # the word that a form stands for, its label, the rule


class Context:
    """Chooses among labels by their distance to other labels along the hypernyms of a lexicon.

    The likeness of two labels is WordNet's path similarity, 1 / (1 + d), with d the number of edges on the shortest way
    from one to the other over a common hypernym; it is 0 when d > MAX_DISTANCE.

    Args:
        lexicon: gives the hypernyms.
    """

    def __init__(self, lexicon: Lexicon):
        self._lexicon = lexicon
        self._heights: dict[str, dict[str, int]] = {}

    def choose(self, candidates: Sequence[str], others: Sequence[str]) -> str:
        """Return the candidate with the highest sum of likenesses to the other labels, the earlier one on a tie.

        Args:
            candidates: the labels that a word can mean, the usual one first; not empty.
            others: the labels of the post's other hashtags.
        """
        return max(candidates, key=lambda label: sum(self.likeness(label, other) for other in others))

    def likeness(self, a: str, b: str) -> float:
        """Return the path similarity of two labels, in 0..1; 0 for labels that are further than MAX_DISTANCE apart."""
        above_a, above_b = self._hypernyms(a), self._hypernyms(b)
        distance = min((above_a[shared] + above_b[shared] for shared in above_a.keys() & above_b), default=None)
        return 0.0 if distance is None or distance > MAX_DISTANCE else 1 / (1 + distance)

    def _hypernyms(self, label: str) -> dict[str, int]:
        """Return the label and all that is wider, with the least number of edges to each."""
        if label not in self._heights:
            self._heights[label] = self._lexicon.heights(label, MAX_DISTANCE)
        return self._heights[label]


class Canonical(NamedTuple):
    """What a hashtag counts as.

    Attributes:
        normal: its normal form.
        label: a label of the lexicon, the hashtag's own normal form when the lexicon has none, or "" for dropped ones.
        rule: how it came to that label, a key of AMBIGUOUS or of RULES.
    """

    normal: str
    label: str
    rule: str


class Canonicaliser:
    """Maps hashtags to labels; each distinct hashtag needs to be mapped once only.

    Args:
        lexicon: words and their labels.
        ambiguous: what becomes of a word with several labels: "first_sense" takes the lexicon's first one, "own_label"
            makes the word a label of its own, "drop" drops it, "context" lets the post's other hashtags decide.
        morphology: whether a plural counts as its singular.

    Raises:
        ConfigError: `ambiguous` is none of these.
    """

    def __init__(self, lexicon: Lexicon, ambiguous: str = "first_sense", morphology: bool = True):
        if ambiguous not in AMBIGUOUS:
            known = ", ".join(AMBIGUOUS)
            raise ConfigError(
                f"ambiguous hashtags: unknown rule {shown(ambiguous)}; known: {known}"
                f"{did_you_mean(ambiguous, AMBIGUOUS)}"
            )
        self._lexicon = lexicon
        self._ambiguous = ambiguous
        self._context = Context(lexicon)
        self._morphology = morphology

    @cached_property
    def _meanings(self) -> dict[str, _Meaning]:
        return dict(self._listed(self._morphology))

    def _listed(self, morphology: bool) -> Iterator[tuple[str, _Meaning]]:
        """Yield every form that leads to a label, so that a hashtag is one look-up; of one form, the last counts."""
        common = [word for word in self._lexicon.words if word not in self._lexicon.names]
        for plural, word, rule in reversed(list(plurals(common) if morphology else ())):
            yield plural, self._meaning(word, rule)
        for word in self._lexicon.words:
            yield word, self._meaning(word, "lemma")

    def _meaning(self, word: str, rule: str) -> _Meaning:
        labels = self._lexicon.labels_of(word)
        if len(labels) == 1:
            return word, labels[0], rule
        return word, AMBIGUOUS[self._ambiguous](word, labels), self._ambiguous

    def _find(self, normal: str) -> _Meaning:
        return (
            self._meanings.get(normal) or self._with_year(normal) or (normal, normal, "outside" if normal else "empty")
        )

    def _with_year(self, normal: str) -> _Meaning | None:
        if not _YEAR.search(normal) or normal[:-4] not in self._meanings:
            return None
        word, label, rule = self._meanings[normal[:-4]]
        return word, label, _rule_with_year(rule)

    def canonical(self, tag: str) -> Canonical:
        """Return what one hashtag counts as.

        Args:
            tag: as written, with or without "#".
        """
        normal = normalise_tag(tag)
        _, label, rule = self._find(normal)
        return Canonical(normal, label, rule)

    def table(self, tags: pa.Array) -> pa.Table:
        """Return what each of many hashtags counts as.

        Args:
            tags: strings (n,), as written, distinct ones for speed.

        Returns:
            a table of n rows: tag, normal, label and rule, strings; see `Canonical`.
        """
        normals = normal_forms(tags.cast(pa.string()))
        labels, rules = self.meanings(normals)
        return pa.table({"tag": tags, "normal": normals, "label": labels, "rule": rules})

    def meanings(self, normals: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Return the label and the rule of normal forms.

        Args:
            normals: strings (n,).

        Returns:
            strings (n,), twice; see `Canonical`.
        """
        found = self._rows(normals)
        labels = pc.coalesce(self._columns["label"].take(found), normals)
        unknown = pc.if_else(pc.equal(normals, ""), "empty", "outside")
        return labels, pc.coalesce(self._columns["rule"].take(found), unknown)

    def _rows(self, normals: pa.Array) -> pa.Array:
        """Return for each normal form its row of `_columns`, null for one outside the lexicon; `_find` for many."""
        rows = self._form_rows.find(normals)
        dated = pc.match_substring_regex(normals, _YEAR.pattern).to_numpy(zero_copy_only=False)
        dated &= rows < 0
        stems = self._form_rows.find(pc.utf8_slice_codeunits(normals.filter(pa.array(dated)), 0, -4))
        rows[dated] = np.where(stems < 0, -1, stems + self._plain)
        return pa.array(rows, mask=rows < 0)

    @cached_property
    def _form_rows(self) -> Strings:
        strings = make_strings()
        strings.add(self._columns["form"])
        return strings

    def forms(self) -> pa.Table:
        """Return every form that leads to a label, without years: columns form and label, strings."""
        return pa.table({name: self._columns[name][: self._plain] for name in ("form", "label")})

    @property
    def _plain(self) -> int:
        """How many forms there are."""
        return len(self._columns["form"])

    @cached_property
    def _columns(self) -> dict[str, pa.Array]:
        """Every form, and the label and rule of each, followed by those that they have with a year behind them."""
        if not self._lexicon.digest:
            return self._listed_columns()
        code = Path(__file__).read_bytes()
        made_of = f"{self._lexicon.digest} {sha256(code)} {self._ambiguous} {self._morphology}"
        folder = cache_folder() / "lexicon" / sha256(made_of.encode())[:16]
        try:  # a tenth of the time that it takes to derive them
            return _read_columns(made_once(folder, made_of, lambda made: _write_columns(made, self._listed_columns())))
        except (CacheError, OSError, KeyError, pa.ArrowException):  # nowhere to keep them; not what was kept
            return self._listed_columns()

    def _listed_columns(self) -> dict[str, pa.Array]:
        labels = [label for _, label, _ in self._meanings.values()]
        rules = [rule for _, _, rule in self._meanings.values()]
        columns = {"form": self._meanings, "label": labels * 2, "rule": [*rules, *map(_rule_with_year, rules)]}
        return {name: pa.array(column, pa.string()) for name, column in columns.items()}

    def resolve(self, tags: Sequence[str]) -> list[str]:
        """Return the labels of the hashtags of one post, ambiguous words by co-occurrence when so asked.

        Args:
            tags: the post's hashtags, as written.

        Returns:
            For each hashtag its label, "" for a dropped one. With the rule "context", an ambiguous word gets the label
            that `Context.choose` returns for the labels that the post's other hashtags have alone.
        """
        meanings = [self._find(normalise_tag(tag)) for tag in tags]
        return [self._in_context(meaning, meanings) for meaning in meanings]

    def _in_context(self, meaning: _Meaning, post: Sequence[_Meaning]) -> str:
        word, label, rule = meaning
        if rule != "context":
            return label
        others = {other_label for other_word, other_label, _ in post if other_word != word}
        return self._context.choose(self._lexicon.labels_of(word), sorted(others))


def _rule_with_year(rule: str) -> str:
    return rule if rule in AMBIGUOUS else "year"


def _write_columns(folder: Path, columns: Mapping[str, pa.Array]) -> None:
    for name, column in columns.items():
        table = pa.table({name: column})
        with atomic_write(folder / f"{name}.arrow") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)


def _read_columns(folder: Path) -> dict[str, pa.Array]:
    """Map the columns into memory."""
    found = {}
    for path in folder.glob("*.arrow"):
        with pa.memory_map(str(path)) as file:
            found[path.stem] = pa.ipc.open_file(file).read_all()[path.stem].combine_chunks()
    return found
