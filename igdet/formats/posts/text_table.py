"""A CSV file, or one of JSON lines, as batches of posts: every row is there, a wrong one with what is wrong."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from operator import itemgetter
from typing import Any, BinaryIO, TextIO

import pyarrow as pa

from igdet.formats.errors import TableError
from igdet.formats.posts.columns import PostColumns
from igdet.formats.posts.csv_rows import MAX_LINE, QUOTING, Dialect, column_names, detected_dialect, row_blocks
from igdet.formats.posts.encodings import MARK, checked_encoding, detected_encoding, is_misdecoded, open_text, repaired
from igdet.formats.posts.values import as_hashtags, as_text, field, parsed_line
from igdet.utils.messages import did_you_mean, shown

SAMPLE_BYTES = 2**22  # by which encoding and dialect are told: some 10,000 captions
BATCH = 2**12  # rows
_MAX_NAMED = 50  # columns in a message
_TAGS = pa.list_(pa.string())
ROWS = pa.schema(
    [
        ("row", pa.int64()),  # of the file, from 1, without header and empty lines
        ("id", pa.string()),
        ("image", pa.string()),
        ("text", pa.string()),  # hashtags as one text, or a caption
        ("tags", _TAGS),  # hashtags as a list, in JSON lines
        ("fault", pa.string()),  # null, or what is wrong with which row of which file
    ]
)
_TABS = {"tab": "\t", "\\t": "\t"}


# A row: id, image, text and, in JSON, hashtags as a list; or what is wrong with it.
_Post = tuple | str
_NONE = (None,) * 4


@dataclass(frozen=True)
class TextFormat:
    """How text files are written; "" is to be found out.

    Attributes:
        encoding: as Python names it.
        delimiter: between cells of CSV.
        quoting: of CSV: a key of `igdet.formats.posts.csv_rows.QUOTING`.
    """

    encoding: str = ""
    delimiter: str = ""
    quoting: str = ""

    def __post_init__(self) -> None:
        if self.encoding:
            checked_encoding(self.encoding)
        if self.quoting and self.quoting not in QUOTING:
            raise TableError(f"QUOTING: {shown(self.quoting)} is none of {', '.join(QUOTING)}")
        object.__setattr__(self, "delimiter", _TABS.get(self.delimiter, self.delimiter))
        if len(self.delimiter) > 1 or self.delimiter in ('"', "\r", "\n"):
            raise TableError(f"DELIMITER: {shown(self.delimiter)} is not one character such as ',' or ';' or 'tab'")


def open_local(path: str) -> BinaryIO:
    """Open a file of this machine."""
    return open(path, "rb")  # noqa: PTH123 (the caller closes it)


@dataclass(frozen=True)
class TextTable:
    """A file of which it is known how to read it; open one with `open_table`.

    Attributes:
        path: of the file.
        columns: which to read.
        kind: a key of `KINDS`.
        encoding: of the file.
        dialect: of a CSV file.
        misdecoded: whether its texts were decoded wrongly before they were saved, and are to be repaired.
        open_file: opens `path`.
    """

    path: str
    columns: PostColumns
    kind: str
    encoding: str
    dialect: Dialect
    misdecoded: bool = False
    open_file: Callable[[str], BinaryIO] = open_local

    @property
    def note(self) -> str:
        """How the file is read, in a line."""
        encoding = self.encoding.removesuffix("-sig")
        dialect = f", {self.dialect}" if self.kind == "csv" else ""
        return f"{encoding}{dialect}" + (
            ", mis-decoded UTF-8 repaired (such as cafÃ© for café)" if self.misdecoded else ""
        )

    @property
    def is_usual(self) -> bool:
        """Whether the file is read as its suffix says, so that nobody needs to be told."""
        return self.encoding.startswith("utf-8") and self.dialect == Dialect() and not self.misdecoded

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Read the file.

        Yields:
            `ROWS`, some thousands at a time; of a wrong row everything but number and fault is null.

        Raises:
            TableError: the columns change within the file.
            OSError: it cannot be read.
        """
        with self.open_file(self.path) as file, open_text(file, self.encoding) as text:
            first = 1
            for posts in KINDS[self.kind](self, text):
                yield self._batch(posts, first)
                first += len(posts)

    def texts(self) -> list[str]:
        """Return the texts and hashtags of the first rows."""
        batch = next(self.batches(), pa.RecordBatch.from_pylist([], ROWS))
        return [text for column in (batch["text"], batch["tags"].flatten()) for text in column.drop_null().to_pylist()]

    def require_columns(self, image: bool, text: bool) -> None:
        """Refuse a file of JSON lines of which no line has what is wanted.

        Args:
            image, text: whether a line has them.

        Raises:
            TableError: naming the one that is nowhere, and the keys of the first line.
        """
        with self.open_file(self.path) as file, open_text(file, self.encoding) as lines:
            first = next(filter(None, map(parsed_line, _lines(lines))), {})
        for name, is_there in ((self.columns.image, image), (self.columns.text, text)):
            if not is_there and name not in first:
                raise _no_column(self.path, name, list(first))

    def cells(self, number: int) -> list[object]:
        """Return what the first rows hold as hashtags; of JSON lines, whatever is there, or else the post's keys."""
        with self.open_file(self.path) as file, open_text(file, self.encoding) as text:
            if self.kind == "csv":
                posts = islice(chain.from_iterable(_csv_posts(self, text)), number)
                return [post[2] for post in posts if type(post) is tuple]
            found = (parsed_line(line) for line in islice(_lines(text), number))
            values = [(post, field(post, self.columns.text)) for post in found if post is not None]
            return [{"keys": list(post)} if value is None else value for post, value in values]

    def _batch(self, posts: list[_Post], first: int) -> pa.RecordBatch:
        try:
            columns = self._columns(posts)
        except UnicodeEncodeError:  # a mark, which is none of UTF-8's characters
            posts = [self._judged(post) for post in posts]
            columns = self._columns(posts)
        faults = {row: f"{self.path}: row {first + row}: {post}" for row, post in enumerate(posts) if type(post) is str}
        said = pa.array([faults.get(row) for row in range(len(posts))] if faults else [None] * len(posts), pa.string())
        return pa.RecordBatch.from_arrays([pa.array(range(first, first + len(posts))), *columns, said], schema=ROWS)

    def _judged(self, post: _Post) -> _Post:
        return f"it holds bytes that are not {self.encoding}" if MARK in "".join(filter(None, post)) else post

    def _columns(self, posts: list[_Post]) -> list[pa.Array]:
        cells = [_NONE if type(post) is str else post for post in posts]
        columns: list[Any] = list(zip(*cells, strict=False))  # wrong rows of CSV, which has no lists, are longer
        ids, images, texts, tags = columns if len(columns) == 4 else (*columns, (None,) * len(cells))
        if self.misdecoded:
            ids, images, texts = ([cell and repaired(cell) for cell in column] for column in (ids, images, texts))
            tags = [entry and [repaired(tag) for tag in entry] for entry in tags]
        return [*(pa.array(column, pa.string()) for column in (ids, images, texts)), pa.array(tags, _TAGS)]


def open_table(
    path: str, kind: str, columns: PostColumns, given: TextFormat, open_file: Callable[[str], BinaryIO] = open_local
) -> TextTable:
    """Find out how a file is to be read.

    Args:
        path: of the file.
        kind: a key of `KINDS`.
        columns: which are wanted.
        given: what is known already.
        open_file: opens `path`.

    Raises:
        TableError: its encoding cannot be told, or a column is missing or there twice.
        OSError: it cannot be read.
    """
    with open_file(path) as file:
        sample = file.read(SAMPLE_BYTES)
    try:
        encoding = given.encoding or detected_encoding(sample, len(sample) < SAMPLE_BYTES)
    except TableError as error:
        raise TableError(f"{path}: {error}") from error
    dialect = Dialect()
    if kind == "csv":
        start = io.StringIO(open_text(io.BytesIO(sample), encoding).read())
        dialect = detected_dialect(start, columns.names, Dialect(given.delimiter, given.quoting))
        start.seek(0)
        _positions(path, next(row_blocks(start, dialect), [[]])[0], columns)
    table = TextTable(path, columns, kind, encoding, dialect, open_file=open_file)
    return replace(table, misdecoded=is_misdecoded(table.texts()))


def _csv_posts(table: TextTable, text: TextIO) -> Iterator[list[_Post]]:
    blocks = row_blocks(text, table.dialect)
    header, *first = next(blocks)
    cells_of = itemgetter(*_positions(table.path, header, table.columns))
    for rows in filter(None, chain([first], blocks)):
        faults = _faults(table.path, rows, header)
        yield (
            [faults.get(row) or cells_of(cells) for row, cells in enumerate(rows)] if faults else [*map(cells_of, rows)]
        )


def _faults(path: str, rows: list[list[str] | str], header: Any) -> dict[int, str]:
    """Say what is wrong with which rows; quickly where nothing is."""
    lists, width, names = {list}, {len(header)}, frozenset(header)
    if {*map(type, rows)} <= lists and {*map(len, rows)} <= width and names.isdisjoint(map(itemgetter(0), rows)):
        return {}
    faults = ((row, _fault(path, cells, header)) for row, cells in enumerate(rows))
    return {row: fault for row, fault in faults if fault}


def _fault(path: str, cells: list[str] | str, header: list[str]) -> str:
    if isinstance(cells, str):
        return cells
    if len(cells) != len(header):
        return f"it has {len(cells)} cells, the header has {len(header)}"
    return _second_header(path, cells, header) if set(cells) == set(header) else ""


def _second_header(path: str, cells: list[str], header: list[str]) -> str:
    if cells != header:
        raise TableError(
            f"{path}: a second header within the file has another order, {shown(cells)}; split the file there"
        )
    return "it is the header again"


def _positions(path: str, header: list[str] | str, columns: PostColumns) -> list[int]:
    """Find id, image and text in a header."""
    names = column_names(header)
    for name in columns.names:
        if name not in names:
            raise _no_column(path, name, names)
        if names.count(name) > 1:
            raise TableError(f"{path} has the column {shown(name)} twice; rename one of them")
    return [names.index(name) for name in (columns.id or columns.image, columns.image, columns.text)]


def _no_column(path: str, name: str, names: list[str]) -> TableError:
    known = ", ".join(names) if len(names) < _MAX_NAMED else f"{', '.join(names[:_MAX_NAMED])} and others"
    return TableError(f"{path} has no column {shown(name)}; its columns are {known:.1000}{did_you_mean(name, names)}")


def _json_posts(table: TextTable, text: TextIO) -> Iterator[list[_Post]]:
    lines = _lines(text)
    while some := list(islice(lines, BATCH)):
        yield [_json_post(line, table.columns) for line in some]


def _lines(text: TextIO) -> Iterator[str]:
    return (line for line in iter(partial(text.readline, MAX_LINE), "") if not line.isspace())


def _json_post(line: str, columns: PostColumns) -> _Post:
    if MARK in line:
        return "it holds bytes that cannot be decoded"
    post = parsed_line(line)
    if post is None:
        return "it is no JSON object"
    image, value = as_text(field(post, columns.image)), field(post, columns.text)
    name = as_text(field(post, columns.id)) if columns.id else image
    return name, image, as_text(value) if isinstance(value, str) else None, as_hashtags(value)


KINDS: dict[str, Callable[[TextTable, TextIO], Iterator[list[_Post]]]] = {"csv": _csv_posts, "jsonl": _json_posts}
