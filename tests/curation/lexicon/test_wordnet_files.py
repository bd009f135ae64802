"""Reading of WordNet's database files."""

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from igdet.curation.lexicon.wordnet_files import SCHEMA, read_licence, read_nouns
from igdet.curation.lexicon.words import FOLDER, LICENCE_NAME, TABLE_NAME

WORDNET = Path("/usr/share/wordnet")
installed = pytest.mark.skipif(not (WORDNET / "data.noun").exists(), reason="Debian's wordnet-base is not installed")

# A dog is an animal; Fido is one of the dogs; a crane is a machine too.
FILES = {
    "data.noun": """\
  1 This is a licence.
  2
  3 It has three lines.
00000100 03 n 01 animal 0 000 | a living thing
00000200 05 n 02 dog 0 domestic_dog 0 002 @ 00000100 n 0000 ~i 00000300 n 0000 | barks | a lot
00000300 18 n 01 Fido 0 001 @i 00000200 n 0000 | a dog; "Fido | Rex"
00000400 05 n 01 crane 0 002 @ 00000100 n 0000 + 00000500 v 0101 | a bird
00000500 06 n 01 crane 1 000 | a machine
""",
    "index.noun": """\
  1 This is a licence.
animal n 1 1 ~ 1 1 00000100
crane n 2 1 @ 2 1 00000500 00000400
dog n 1 2 @ ~ 1 1 00000200
domestic_dog n 1 1 @ 1 0 00000200
fido n 1 1 @i 1 0 00000300
""",
    "index.adj": "  1 This is a licence.\nanimal a 1 0 1 0 00000900\n",
    "index.adv": "",
    "index.verb": "crane v 1 0 1 0 00000901\n",
    "cntlist.rev": """\
dog%1:05:00:: 1 42
crane%1:06:00:: 1 3
crane%1:05:00:: 2 1
crane%2:38:00:: 1 9
animal%1:03:00:: 1 7
animal%3:01:00:: 1 5
animal%5:00:00:living:00 2 4
animal%4:02:00:: 1 1
""",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_small_database(folder):
    table = read_nouns(folder)
    assert table.schema == SCHEMA
    assert table.to_pydict() == {
        "label": ["n00000100", "n00000200", "n00000300", "n00000400", "n00000500"],
        "file": [3, 5, 18, 5, 6],
        "words": [["animal"], ["dog", "domestic_dog"], ["Fido"], ["crane"], ["crane"]],
        "senses": [[1], [1, 1], [1], [2], [1]],
        "used": [[True], [True, False], [False], [True], [True]],
        "noun_uses": [[7], [42, 0], [0], [4], [4]],
        "adjective_uses": [[10], [0, 0], [0], [0], [0]],
        "noun_only": [[False], [True, True], [True], [False], [False]],
        "hypernyms": [[], ["n00000100"], ["n00000200"], ["n00000100"], []],
    }


def test_the_licence(folder):
    assert read_licence(folder) == "This is a licence.\n\nIt has three lines.\n"


@installed
def test_the_shipped_table_is_that_of_wordnet():
    lines = [line for line in (WORDNET / "data.noun").read_text().splitlines() if not line.startswith(" ")]
    shipped = pq.read_table(FOLDER / TABLE_NAME)
    assert shipped["label"].to_pylist() == [f"n{line[:8]}" for line in lines]
    # An independent reading: a word comes before its hexadecimal lex_id, a hypernym after "@" or "@i".
    pattern = re.compile(r"^\d{8} (\d\d) n [0-9a-f]{2} ((?:\S+ [0-9a-f] )+)\d{3} ")
    found = [pattern.match(line) for line in lines]
    assert shipped["file"].to_pylist() == [int(match[1]) for match in found]
    assert shipped["words"].to_pylist() == [match[2].split()[::2] for match in found]
    hypernyms = [[f"n{offset}" for offset in re.findall(r" @i? (\d{8}) n", line.split(" | ")[0])] for line in lines]
    assert shipped["hypernyms"].to_pylist() == hypernyms


@installed
def test_the_shipped_senses_are_those_of_wordnet():
    """index.noun lists the synsets of a lemma in the order of its senses."""
    shipped = pq.read_table(FOLDER / TABLE_NAME).select(["label", "words", "senses"]).to_pydict()
    senses = {
        (word.lower(), sense): label
        for label, *row in zip(*shipped.values(), strict=True)
        for word, sense in zip(*row, strict=True)
    }
    lines = [line.split() for line in (WORDNET / "index.noun").read_text().splitlines() if not line.startswith(" ")]
    listed = {(line[0], i): f"n{offset}" for line in lines for i, offset in enumerate(line[-int(line[2]) :], start=1)}
    assert len(lines) == 117_798
    assert senses == listed


@installed
def test_the_shipped_licence_is_that_of_wordnet():
    assert (FOLDER / LICENCE_NAME).read_text() == read_licence(WORDNET)
