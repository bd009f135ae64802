"""CSV and Parquet tables with cells, columns and types that do not belong there."""

import csv
import io
from collections.abc import Callable
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

CELLS = (
    *(
        "",
        " ",
        '"',
        '"open',
        '""',
        "a,b",
        'a"b',
        "a\\",
        "\\",
        "nan",
        "None",
        "NULL",
        "['cat', 'dog']",
        "#",
        "##",
        "0",
        "-1",
    ),
    *("\x00", "\x1b[31mred", "\u202e", "\ufeff", "\r", "a\nb", "caf\u00e9", "\U0001f600", "=1+1", "../../etc/passwd"),
    *("x" * 50_000, "#a" * 20_000, "1" + "0" * 400, "{'a': 1}", "[1, 2", "http://[::1", "a::b", "0", "-1"),
)


def mutate_csv(data: bytes, dice: Random) -> bytes:
    """Change a cell, a row, the header or the encoding of a CSV file."""
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    for _ in range(dice.choice((1, 1, 2, 3))):
        row = dice.choice(rows)
        dice.choice(_ROW_CHANGES)(rows, row, dice)
    separator = dice.choice((",", ",", ",", ",", ";", "\t"))
    text = dice.choice(("\n", "\n", "\r\n", "\r")).join(separator.join(row) for row in rows)
    return text.encode(dice.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1")), errors="replace")


def _cell(rows: list[list[str]], row: list[str], dice: Random) -> None:
    row[dice.randrange(len(row))] = dice.choice(CELLS)


_ROW_CHANGES: tuple[Callable[[list[list[str]], list[str], Random], None], ...] = (
    _cell,
    _cell,
    _cell,
    lambda rows, row, dice: row.append(dice.choice(CELLS)),
    lambda rows, row, dice: row.pop() if len(row) > 1 else None,
    lambda rows, row, dice: rows.insert(0, list(rows[0])),  # a header twice
    lambda rows, row, dice: rows.insert(dice.randrange(len(rows)), list(row)),
    lambda rows, row, dice: row.insert(0, row[-1]),
)

# What a column becomes: values of another type, as many as there were.
_COLUMNS: tuple[Callable[[pa.ChunkedArray, Random], pa.Array], ...] = (
    lambda column, dice: pa.nulls(len(column)),
    lambda column, dice: pa.nulls(len(column), column.type),
    lambda column, dice: pa.array([True] * len(column)),
    lambda column, dice: pa.array([float("nan")] * len(column)),
    lambda column, dice: pa.array([-1] * len(column), dice.choice((pa.int8(), pa.int32(), pa.int64()))),
    lambda column, dice: pa.array([2**63] * len(column), pa.uint64()),
    lambda column, dice: pa.array([2**62] * len(column)),
    lambda column, dice: pa.array([b"\xff\x00"] * len(column)),
    lambda column, dice: pa.array([dice.choice(CELLS) for _ in range(len(column))]),
    lambda column, dice: pa.array([[dice.choice(CELLS)] for _ in range(len(column))]),
    lambda column, dice: pa.array([[] for _ in range(len(column))], pa.list_(pa.string())),
    lambda column, dice: pa.array([[-1]] * len(column)),
    lambda column, dice: pa.array([[2**62, 0]] * len(column)),
    lambda column, dice: pa.array([[[0]]] * len(column)),
    lambda column, dice: pa.array([[0, None]] * len(column)),
    lambda column, dice: pa.array([{"a": 1}] * len(column)),
    lambda column, dice: pa.array([[{"a": "b"}]] * len(column)),
    lambda column, dice: pa.array([0] * len(column), pa.timestamp("us")),
    lambda column, dice: pa.array(["a"] * len(column)).dictionary_encode(),
    lambda column, dice: column.take(pa.array([dice.randrange(len(column)) for _ in range(len(column))])),
    lambda column, dice: pa.chunked_array([[None], column.slice(1)], column.type),
)


def mutate_parquet(data: bytes, dice: Random) -> bytes:
    """Change a column of a Parquet file, leave it out, write it twice, or drop the rows."""
    table = pq.read_table(pa.BufferReader(data))
    place = dice.randrange(table.num_columns)
    name, column = table.column_names[place], table.column(place)
    share = dice.random()
    if share < 0.7:
        table = table.set_column(place, name, dice.choice(_COLUMNS)(column, dice))
    elif share < 0.8:
        table = table.remove_column(place)
    elif share < 0.9:
        table = table.append_column(name, column)
    else:
        table = table.slice(0, dice.randrange(len(table)))
    if dice.random() < 0.1:
        table = table.replace_schema_metadata({b"igdet": b"\xff"})
    written = io.BytesIO()
    pq.write_table(table, written)
    return written.getvalue()
