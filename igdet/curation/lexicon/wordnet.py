"""The nouns of WordNet 3.0, read as hashtags: what each word means in the tags of photos."""

from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from igdet.curation.normalising import word_forms

FOLDER = Path(__file__).parent
TABLE_NAME = "wordnet.parquet"  # WordNet as it is; the columns are `wordnet_files.SCHEMA`
LICENCE_NAME = "WORDNET_LICENSE"
IRREGULAR_NAME = "noun.exc"  # WordNet's irregular plurals as they are: "plural singular..." a line
JUDGED_NAME = "hashtag_senses.csv"  # our own: word, label ("" for none), reason

# Hashtags of one or two characters are abbreviations and small words of any language: "la", "me", "us", "de".
MIN_LENGTH = 3
# "funny" and "old" are nouns too, but a hashtag means the adjective: SemCor has it as an adjective or adverb this often,
# and this many times as often as as a noun.
MIN_ADJECTIVE_USES = 5
ADJECTIVE_RATIO = 4
# More than a word has senses, so that adding it to a sense number puts the sense behind all others.
_BEHIND = 1000


def read_senses() -> pa.Table:
    """Read what each noun can mean as a hashtag.

    Which words are in, and the order of a word's senses:
    1. Words in hashtag_senses.csv mean what is said there, and nothing else.
    2. Words shorter than MIN_LENGTH are left out.
    3. Words that are mostly adjectives or adverbs are left out (MIN_ADJECTIVE_USES, ADJECTIVE_RATIO).
    4. A name that SemCor never has is left out when the word is an adjective, adverb or verb too: Nice, Weird.
    5. Senses that SemCor has keep WordNet's order, which is by frequency. The others follow, common nouns before names
       ("crane" is a bird before it is Stephen Crane), as WordNet's order says nothing about them.

    Returns:
        a table as `Lexicon` takes it.
    """
    flat = _one_row_a_word(pq.read_table(FOLDER / TABLE_NAME))
    judged = _read_judged()
    judged_label = judged["label"].take(pc.index_in(flat["word"], judged["word"].combine_chunks()))
    kept = pc.if_else(pc.is_null(judged_label), _is_noun(flat), pc.equal(flat["label"], judged_label))
    senses = flat.append_column("rank", _rank(flat)).filter(kept).select(["word", "label", "rank", "name"])
    return pa.concat_tables([senses, _added(judged, senses)])


def read_hypernyms() -> pa.Table:
    """Read label (string) and hypernyms (list<string>: the labels of its wider synsets) of every noun synset."""
    return pq.read_table(FOLDER / TABLE_NAME, columns=["label", "hypernyms"])


def _one_row_a_word(synsets: pa.Table) -> pa.Table:
    synsets = synsets.combine_chunks()
    written = pc.list_flatten(synsets["words"]).combine_chunks()
    aligned = ("senses", "used", "noun_uses", "adjective_uses", "noun_only")
    return pa.table(
        {
            "word": word_forms(written),
            "label": synsets["label"].take(pc.list_parent_indices(synsets["words"])),
            "name": pc.not_equal(written, pc.ascii_lower(written)),
            **{column: pc.list_flatten(synsets[column]) for column in aligned},
        }
    )


def _is_noun(flat: pa.Table) -> pa.ChunkedArray:
    """Rules 2 to 4 of `read_senses`, bool (n,)."""
    short = pc.less(pc.utf8_length(flat["word"]), MIN_LENGTH)
    often = pc.greater_equal(flat["adjective_uses"], MIN_ADJECTIVE_USES)
    mostly = pc.greater_equal(flat["adjective_uses"], pc.multiply(flat["noun_uses"], ADJECTIVE_RATIO))
    unused_name = pc.and_(flat["name"], pc.invert(flat["used"]))
    left_out = (short, pc.and_(often, mostly), pc.and_(unused_name, pc.invert(flat["noun_only"])))
    return pc.invert(reduce(pc.or_, left_out))


def _rank(flat: pa.Table) -> pa.ChunkedArray:
    """Rule 5 of `read_senses`, int64 (n,): the lower, the earlier among the senses of a word."""
    unused = pc.invert(flat["used"])
    behind = pc.add(unused.cast(pa.int64()), pc.and_(unused, flat["name"]).cast(pa.int64()))
    return pc.add(flat["senses"], pc.multiply(behind, _BEHIND))


def _added(judged: pa.Table, senses: pa.Table) -> pa.Table:
    """Give rows for what hashtag_senses.csv says beyond WordNet: words that are no lemma of the synset they mean."""
    meant = judged.filter(pc.not_equal(judged["label"], "")).select(["word", "label"])
    new = meant.join(senses, ["word", "label"], join_type="left anti")
    return pa.table(
        {
            "word": new["word"],
            "label": new["label"],
            "rank": pa.array([0] * len(new), pa.int64()),
            "name": pa.array([False] * len(new)),
        }
    )


def _read_judged() -> pa.Table:
    text = pa.csv.ConvertOptions(column_types={"word": pa.string(), "label": pa.string()}, strings_can_be_null=False)
    return pa.csv.read_csv(FOLDER / JUDGED_NAME, convert_options=text)
