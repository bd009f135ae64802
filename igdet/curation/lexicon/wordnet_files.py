"""Reads WordNet's own database files: the nouns, with what is needed to tell which of them a hashtag means."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

# One row a synset, in the order of data.noun; the lists of a row are aligned.
SCHEMA = pa.schema(
    [
        ("label", pa.string()),  # "n" and the offset of the synset in WordNet 3.0: the ImageNet id
        ("file", pa.int8()),  # number of the lexicographer file, the broad class: 5 are animals, 6 artifacts
        ("words", pa.list_(pa.string())),  # lemmas as written, the synset's first one first
        ("senses", pa.list_(pa.int16())),  # which sense of the lemma this synset is, from 1
        ("used", pa.list_(pa.bool_())),  # SemCor, WordNet's tagged corpus, has the lemma in this sense
        ("noun_uses", pa.list_(pa.int32())),  # how often SemCor has the lemma as a noun, in any sense
        ("adjective_uses", pa.list_(pa.int32())),  # how often SemCor has the lemma as an adjective or adverb
        ("noun_only", pa.list_(pa.bool_())),  # WordNet has the lemma as no other part of speech
        ("hypernyms", pa.list_(pa.string())),  # labels of the wider synsets, instance hypernyms included
    ]
)
_NOUN, _ADJECTIVES_AND_ADVERBS = "1", "345"  # WordNet's numbers of the parts of speech; 5 are adjective satellites
_HYPERNYM_POINTERS = ("@", "@i")


def read_nouns(folder: Path) -> pa.Table:
    """Read the noun synsets of a WordNet 3.0 database.

    Args:
        folder: holds data.noun, index.noun, index.adj, index.adv, index.verb and cntlist.rev.

    Returns:
        a table of SCHEMA.
    """
    senses = {(lemma, label): i for lemma, labels in _index(folder) for i, label in enumerate(labels, start=1)}
    used, noun_uses, adjective_uses = _uses(folder / "cntlist.rev")
    others = {line.split()[0] for part in ("adj", "adv", "verb") for line in _lines(folder / f"index.{part}")}
    rows = []
    for label, file, words, hypernyms in map(_synset, _lines(folder / "data.noun")):
        lemmas = [word.lower() for word in words]
        numbers = [senses[lemma, label] for lemma in lemmas]
        rows.append(
            {
                "label": label,
                "file": file,
                "words": words,
                "senses": numbers,
                "used": [(lemma, number) in used for lemma, number in zip(lemmas, numbers, strict=True)],
                "noun_uses": [noun_uses[lemma] for lemma in lemmas],
                "adjective_uses": [adjective_uses[lemma] for lemma in lemmas],
                "noun_only": [lemma not in others for lemma in lemmas],
                "hypernyms": hypernyms,
            }
        )
    return pa.Table.from_pylist(rows, SCHEMA)


def read_licence(folder: Path) -> str:
    """Return WordNet's licence, which is at the top of data.noun in numbered lines."""
    with (folder / "data.noun").open(encoding="ascii") as file:
        numbered = [line for line in file if line.startswith(" ")]
    return "".join(line.split(maxsplit=1)[1].rstrip() + "\n" if line.split()[1:] else "\n" for line in numbered)


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="ascii") as file:
        yield from (line for line in file if not line.startswith(" "))  # the licence is at the top, indented


def _index(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each lemma with its synsets.

    Lines read "lemma pos synset_cnt p_cnt [pointer...] sense_cnt tagsense_cnt [offset...]".
    """
    for line in _lines(folder / "index.noun"):
        fields = line.split()
        yield fields[0], [f"n{offset}" for offset in fields[-int(fields[2]) :]]


def _uses(path: Path) -> tuple[set[tuple[str, int]], Counter[str], Counter[str]]:
    """Return the noun senses that SemCor has, and its uses of each lemma as a noun, and as an adjective or adverb.

    Lines read "lemma%part:file:id:head:id sense_number count".
    """
    used: set[tuple[str, int]] = set()
    nouns: Counter[str] = Counter()
    adjectives: Counter[str] = Counter()
    for line in _lines(path):
        key, sense, count = line.split()
        lemma, _, rest = key.partition("%")
        if rest[0] == _NOUN:
            used.add((lemma, int(sense)))
            nouns[lemma] += int(count)
        elif rest[0] in _ADJECTIVES_AND_ADVERBS:
            adjectives[lemma] += int(count)
    return used, nouns, adjectives


def _synset(line: str) -> tuple[str, int, list[str], list[str]]:
    """Read "offset file type w_cnt(hex) [word lex_id]... p_cnt [pointer offset pos source/target]... | gloss"."""
    fields = line.split(" | ", 1)[0].split()
    pointers_at = 4 + 2 * int(fields[3], 16)
    words, pointers = fields[4:pointers_at:2], fields[pointers_at + 1 :]
    pairs = zip(pointers[::4], pointers[1::4], strict=True)
    hypernyms = [f"n{offset}" for pointer, offset in pairs if pointer in _HYPERNYM_POINTERS]
    return f"n{fields[0]}", int(fields[1]), words, hypernyms
