"""Reads a lexicon of one's own: a table of two columns, word and label."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from igdet.curation.lexicon.errors import LexiconError
from igdet.curation.normalising import word_forms

COLUMNS = ("word", "label")


def _read_text(separator: str, path: Path) -> pa.Table:
    as_text = pa.csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()), strings_can_be_null=False)
    return pa.csv.read_csv(path, pa.csv.ReadOptions(), pa.csv.ParseOptions(delimiter=separator), as_text)


READERS = {
    ".csv": lambda path: _read_text(",", path),
    ".tsv": lambda path: _read_text("\t", path),
    ".parquet": pq.read_table,
}


def read_table(path: Path) -> pa.Table:
    """Read what each word of a two-column table means.

    Args:
        path: a .csv, .tsv or .parquet file with the columns word and label; others are ignored.

    Returns:
        a table as `Lexicon` takes it; of the meanings of a word, an earlier row's is the earlier.

    Raises:
        LexiconError: the file cannot be read, lacks a column, or a row holds no word or no label.
    """
    if path.suffix not in READERS:
        raise LexiconError(f"{path}: expected a lexicon in one of the formats {', '.join(READERS)}")
    try:
        table = READERS[path.suffix](path)
    except (OSError, pa.ArrowException) as error:
        raise LexiconError(f"{path}: cannot be read as {path.suffix[1:]}: {error}") from error
    missing = [column for column in COLUMNS if column not in table.column_names]
    if missing:
        raise LexiconError(f"{path}: lacks {missing}; a lexicon has the columns {COLUMNS}, found {table.column_names}")
    word, label = (pc.fill_null(table[column].cast(pa.string()), "").combine_chunks() for column in COLUMNS)
    word = word_forms(word)
    for column, values in zip(COLUMNS, (word, label), strict=True):
        _check_filled(path, column, values)
    rows = len(table)
    return pa.table({"word": word, "label": label, "rank": range(rows), "name": [False] * rows})


def _check_filled(path: Path, column: str, values: pa.Array) -> None:
    empty = pc.index(values, "").as_py()
    if empty >= 0:
        raise LexiconError(f"{path}: row {empty + 1} has no {column}; fill it or leave the row out")
