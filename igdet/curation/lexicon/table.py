"""What can be wrong with a lexicon."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from igdet.curation.lexicon.words import word_forms
from igdet.utils.errors import UserError

COLUMNS = ("word", "label")


class LexiconError(UserError):
    """A lexicon that cannot be read; the message names the file and the row."""


def read_text(path: Path, separator: str = ",") -> pa.Table:
    """Read a table of text, its words and labels as strings whatever they look like."""
    as_text = pa.csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()), strings_can_be_null=False)
    return pa.csv.read_csv(path, parse_options=pa.csv.ParseOptions(delimiter=separator), convert_options=as_text)


READERS = {
    ".csv": read_text,
    ".tsv": lambda path: read_text(path, "\t"),
    ".parquet": pq.read_table,
}


def read_table(path: Path) -> pa.Table:
    """Read what each word of a two-column table means.

    Args:
        path: a .csv, .tsv or .parquet file with the columns word and label; others are ignored.

    Returns:
        a table as `Lexicon` takes it; of the meanings of a word, an earlier row's is the earlier.

    Raises:
        LexiconError: the file cannot be read, lacks a column or has no rows, or a row holds no word or no label.
    """
    table = _opened(path)
    word, label = (_texts(path, column, table[column]) for column in COLUMNS)
    meanings = {"word": word_forms(word), "label": label}
    for column, values in meanings.items():
        _check_filled(path, column, values)
    return pa.table({**meanings, "rank": range(len(table)), "name": [False] * len(table)})


def _opened(path: Path) -> pa.Table:
    if path.suffix not in READERS:
        raise LexiconError(f"{path}: expected a lexicon in one of the formats {', '.join(READERS)}")
    try:
        table = READERS[path.suffix](path)
    except (OSError, pa.ArrowException) as error:
        raise LexiconError(f"{path}: cannot be read as {path.suffix[1:]}: {error}") from error
    missing = [column for column in COLUMNS if column not in table.column_names]
    if missing:
        raise LexiconError(f"{path}: lacks {missing}; a lexicon has the columns {COLUMNS}, found {table.column_names}")
    if not len(table):
        raise LexiconError(f"{path}: has no rows; a lexicon has one row for each meaning of a word")
    return table


def _texts(path: Path, column: str, values: pa.ChunkedArray) -> pa.Array:
    try:
        return pc.fill_null(values.cast(pa.string()), "").combine_chunks()
    except pa.ArrowException as error:
        raise LexiconError(f"{path}: column {column} holds {values.type}; expected text") from error


def _check_filled(path: Path, column: str, values: pa.Array) -> None:
    empty = pc.index(values, "").as_py()
    if empty >= 0:
        raise LexiconError(f"{path}: row {empty + 1} has no {column}; fill it or leave the row out")
