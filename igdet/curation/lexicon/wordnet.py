"""The nouns of WordNet 3.0, read as hashtags: what each word means in the tags of photos."""

from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.curation.lexicon.table import read_text
from igdet.curation.lexicon.words import FOLDER, IRREGULAR_NAME, JUDGED_NAME, TABLE_NAME, plurals, word_forms
from igdet.formats import vocabulary
from igdet.utils.hashing import sha256

# Hashtags of one or two characters are abbreviations and small words of any language: "la", "me", "us", "de".
MIN_LENGTH = 3
# "funny" and "old" are nouns too, but a hashtag means the adjective: SemCor has it as an adjective or adverb at least
# this often, and at least this many times as often as as a noun.
MIN_ADJECTIVE_USES = 5
ADJECTIVE_RATIO = 4
PERSONS = 18  # number of WordNet's lexicographer file of persons
# WordNet's lexicographer files of what photos show, the likeliest first: animals, food, the body, artifacts, plants,
# natural objects, persons.
DEPICTED = (5, 13, 8, 6, 20, 17, PERSONS)
_UNJUDGED = "-"  # stands for the label of words that are not in hashtag_senses.csv
# More than a word has senses, so that adding it to a sense number puts the sense behind all others.
_BEHIND = 1000


def read_senses() -> pa.Table:
    """Read what each noun can mean as a hashtag.

    Which words are in, and the order of a word's senses:
    1. Words in hashtag_senses.csv mean first what is said there; those with no label there are left out.
    2. Words shorter than MIN_LENGTH are left out.
    3. Words that are mostly adjectives or adverbs are left out (MIN_ADJECTIVE_USES, ADJECTIVE_RATIO).
    4. A name that SemCor never has is left out when the word is an adjective, adverb or verb too (Nice, Weird), or when
       it is one word for a person (Scott, Jones).
    5. A word is left out when it is the plural of one that SemCor has more often: "shoes" are more than one shoe before
       they are somebody's situation.
    6. Senses that SemCor has keep WordNet's order, which is by frequency. WordNet's order of the others says nothing:
       they follow by lexicographer file, those of DEPICTED first ("toaster" is an appliance before it is one who
       proposes a toast), and names last ("wren" is a bird before it is Christopher Wren).

    Returns:
        a table as `Lexicon` takes it.
    """
    flat = _one_row_a_word(pq.read_table(FOLDER / TABLE_NAME))
    judged = read_text(FOLDER / JUDGED_NAME).combine_chunks()
    said = pc.fill_null(_looked_up(flat["word"], judged["word"], judged["label"]), _UNJUDGED)
    is_said = pc.equal(flat["label"], said)
    kept = pc.or_(is_said, pc.and_(_is_noun(flat), pc.not_equal(said, "")))
    senses = flat.append_column("rank", pc.if_else(is_said, 0, _rank(flat)))
    senses = senses.filter(kept).select(["word", "label", "rank", "name"])
    return pa.concat_tables([senses, _added(judged, senses)])


def digest() -> str:
    """Return a hash of WordNet's files and of the code that reads them."""
    files = (TABLE_NAME, JUDGED_NAME, IRREGULAR_NAME, "lexicon.py", "words.py", "wordnet.py", "table.py")
    paths = [*(FOLDER / name for name in files), Path(vocabulary.__file__)]
    return sha256(b"".join(path.read_bytes() for path in paths))


def read_hypernyms() -> pa.Table:
    """Read label (string) and hypernyms (list<string>: the labels of its wider synsets) of every noun synset."""
    return pq.read_table(FOLDER / TABLE_NAME, columns=["label", "hypernyms"])


def _one_row_a_word(synsets: pa.Table) -> pa.Table:
    synsets = synsets.combine_chunks()
    synset = pc.list_parent_indices(synsets["words"])
    written = pc.list_flatten(synsets["words"]).combine_chunks()
    aligned = ("senses", "used", "noun_uses", "adjective_uses", "noun_only")
    return pa.table(
        {
            "word": word_forms(written),
            "label": synsets["label"].take(synset),
            "file": synsets["file"].take(synset),
            "name": pc.not_equal(written, pc.ascii_lower(written)),
            "one_word": pc.invert(pc.match_substring(written, "_")),
            **{column: pc.list_flatten(synsets[column]) for column in aligned},
        }
    )


def _is_noun(flat: pa.Table) -> pa.ChunkedArray:
    """Rules 2 to 5 of `read_senses`, bool (n,)."""
    short = pc.less(pc.utf8_length(flat["word"]), MIN_LENGTH)
    often = pc.greater_equal(flat["adjective_uses"], MIN_ADJECTIVE_USES)
    mostly = pc.greater_equal(flat["adjective_uses"], pc.multiply(flat["noun_uses"], ADJECTIVE_RATIO))
    unused_name = pc.and_(flat["name"], pc.invert(flat["used"]))
    one_word_person = pc.and_(flat["one_word"], pc.equal(flat["file"], PERSONS))
    no_name = pc.and_(unused_name, pc.or_(one_word_person, pc.invert(flat["noun_only"])))
    return pc.invert(reduce(pc.or_, (short, pc.and_(often, mostly), no_name, _is_rare_plural(flat))))


def _is_rare_plural(flat: pa.Table) -> pa.ChunkedArray:
    """Rule 5 of `read_senses`, bool (n,)."""
    uses = dict(zip(flat["word"].to_pylist(), flat["noun_uses"].to_pylist(), strict=True))
    used = [word for word, count in uses.items() if count]
    rare = {plural for plural, singular, _ in plurals(used) if uses.get(plural, uses[singular]) < uses[singular]}
    return pc.is_in(flat["word"], pa.array(sorted(rare), pa.string()))


def _rank(flat: pa.Table) -> pa.ChunkedArray:
    """Rule 6 of `read_senses`, int64 (n,): the lower, the earlier among the senses of a word."""
    files = pa.array(DEPICTED, flat["file"].type)
    place = pc.fill_null(pc.index_in(flat["file"], files), len(DEPICTED)).cast(pa.int64())
    place = pc.if_else(flat["name"], len(DEPICTED) + 1, place)
    group = pc.if_else(flat["used"], 0, pc.add(place, 1))
    return pc.add(flat["senses"], pc.multiply(group, _BEHIND))


def _looked_up(words: pa.ChunkedArray, keys: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.combine_chunks().take(pc.index_in(words, keys.combine_chunks()))


def _added(judged: pa.Table, senses: pa.Table) -> pa.Table:
    """Return rows for what hashtag_senses.csv says beyond WordNet: words that are no lemma of the synset they mean."""
    meant = judged.filter(pc.not_equal(judged["label"], "")).select(["word", "label"])
    new = meant.join(senses, ["word", "label"], join_type="left anti").sort_by("word").to_pydict()
    return pa.table({**new, "rank": [0] * len(new["word"]), "name": [False] * len(new["word"])}, senses.schema)
