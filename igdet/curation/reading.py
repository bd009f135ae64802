"""Reading posts of any format: id, image and hashtags of each, and nothing else."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation import engine
from igdet.curation.parsing import limited, tags_of_captions, tags_of_lists, tags_of_strings
from igdet.curation.pictures.tars import SEPARATOR
from igdet.curation.settings import SourceSettings
from igdet.curation.tally import counts_type, in_first_row
from igdet.utils.spelling import did_you_mean
from igdet.utils.strict_yaml import ConfigError

COUNTS = counts_type(reason=pa.string())
FIELDS = pa.struct([("id", pa.string()), ("image", pa.string()), ("tags", pa.list_(pa.string())), ("tally", COUNTS)])

NO_IMAGE, NO_ID, BROKEN_LINE = "posts without an image", "posts without an id", "broken lines"
BAD = (NO_IMAGE, NO_ID, BROKEN_LINE)  # such rows are unusable: too many of them stop the run
NO_TAGS, LONG_TAGS, CROWDED = "posts without hashtags", "hashtags that are too long", "posts with too many hashtags"

_SUFFIXES = {".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tar": "webdataset"}


def format_of(source: SourceSettings, path: str) -> str:
    """Give the format of the source's files.

    Args:
        source: may name it.
        path: one of the files; its suffix says it else.

    Raises:
        ConfigError: neither does.
    """
    found = source.format or _SUFFIXES.get(PurePosixPath(path.split("?")[0]).suffix.lower(), "")
    if found not in engine.FORMATS:
        known = ", ".join(engine.FORMATS)
        raise ConfigError(
            f"SOURCE.FORMAT: {found!r} (of {path}) is none of {known}{did_you_mean(found, engine.FORMATS)}; "
            f"without it the suffix decides: {', '.join(_SUFFIXES)}"
        )
    return found


class PostReader:
    """The batch function of reading.

    Args:
        source: which columns there are.
        source_format: one of `engine.FORMATS`.

    Raises:
        ConfigError: not exactly one of TAGS and CAPTION is named.
    """

    def __init__(self, source: SourceSettings, source_format: str):
        if bool(source.tags) == bool(source.caption):
            raise ConfigError("SOURCE: name one column: TAGS with hashtags, or CAPTION with a text that holds #tags")
        self._source = source
        self._extract, self._inputs = _FORMATS[source_format]

    @property
    def inputs(self) -> list[str]:
        """The columns that it wants; a dot leads into a structure."""
        return self._inputs(self._source)

    def check(self, types: Mapping[str, pa.DataType], where: str) -> str:
        """Check that files have what is wanted.

        Args:
            types: of each column and field; see `engine.column_types`.
            where: which files.

        Returns:
            The types found, as text: files that differ in them cannot be read as one.

        Raises:
            ConfigError: a column is missing, or is of another type.
        """
        for column in self.inputs:
            if column not in types:
                raise ConfigError(
                    f"{where}: there is no column {column!r}; there are {', '.join(types)}{did_you_mean(column, types)}"
                )
            also = {self._source.tags: "list of texts", self._source.id: "whole number"}.get(column, "text")
            if not any(_TYPES[name](types[column]) for name in ("text", also)):
                raise ConfigError(
                    f"{where}: column {column!r} holds {types[column]}; expected {' or '.join(sorted({'text', also}))}"
                )
        return str({column: str(types[column]) for column in self.inputs})

    def __call__(self, *columns: pa.Array) -> pa.StructArray:
        """Give the posts of a batch.

        Args:
            columns: arrays (n,) of `inputs`.

        Returns:
            struct (n,) of `FIELDS`. Every row goes on, so that rows are easily counted; unusable ones have no
            hashtags.
        """
        ids, images, lists, broken = self._extract(self._source, *columns)
        has_image = pc.fill_null(pc.not_equal(images, ""), False)
        has_id = pc.fill_null(pc.not_equal(ids, ""), False)
        usable = pc.and_(has_image, has_id)
        tags, long_tags, crowded = limited(_where(usable, lists))
        counts = {
            BROKEN_LINE: broken,
            NO_IMAGE: has_image.false_count - broken,
            NO_ID: pc.and_(has_image, pc.invert(has_id)).true_count,
            NO_TAGS: pc.and_(usable, pc.equal(pc.list_value_length(tags), 0)).true_count,
            LONG_TAGS: long_tags,
            CROWDED: crowded,
        }
        tally = pa.table({"reason": list(counts), "posts": list(counts.values())})
        columns = [ids, images, tags, in_first_row(tally, len(ids), COUNTS)]
        return pa.StructArray.from_arrays(columns, fields=list(FIELDS))


_Extracted = tuple[pa.Array, pa.Array, pa.ListArray, int]  # ids, images, hashtags, number of broken lines


def _from_columns(source: SourceSettings, text: pa.Array, images: pa.Array, *ids: pa.Array) -> _Extracted:
    images = images.cast(pa.string())
    return ids[0].cast(pa.string()) if ids else images, images, _tags(source, text), 0


def _from_tars(source: SourceSettings, text: pa.Array, urls: pa.Array, keys: pa.Array, *ids: pa.Array) -> _Extracted:
    root = Path(source.root).expanduser().resolve()
    prefix = f"^(file://)?({re.escape(str(root))}/)?"
    images = pc.binary_join_element_wise(pc.replace_substring_regex(urls, prefix, ""), keys, SEPARATOR)
    return _from_columns(source, text, images, *ids)


def _from_lines(source: SourceSettings, lines: pa.Array) -> _Extracted:
    posts = [_parsed(line) for line in lines.to_pylist()]
    images = pa.array([_text(_field(post, source.image)) for post in posts], pa.string())
    ids = pa.array([_text(_field(post, source.id)) for post in posts], pa.string()) if source.id else images
    values = [_field(post, source.tags or source.caption) for post in posts]
    return ids, images, _mixed_tags(source, values), posts.count(None)


def _parsed(line: str) -> dict | None:
    try:
        post = json.loads(line.removeprefix("\ufeff"))
    except (ValueError, RecursionError):  # the latter: brackets by the thousand
        return None
    return post if isinstance(post, dict) else None


def _field(post: dict | None, path: str) -> object:
    """Follow a dotted path; None where it leads nowhere."""
    for name in [path] if post and path in post else path.split("."):
        post = post.get(name) if isinstance(post, dict) else None
    return post


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).encode(errors="replace").decode()  # half of a surrogate pair, as a cut caption has, is no text


def _mixed_tags(source: SourceSettings, values: Sequence[object]) -> pa.ListArray:
    """Take hashtags from values of which some are lists and some are texts, as it happens in JSON."""
    lists = [
        [_text(tag) for tag in value if isinstance(tag, str)] if isinstance(value, list) else None for value in values
    ]
    texts = pa.array([_text(value) if isinstance(value, str) else None for value in values], pa.string())
    of_lists = _tags(source, pa.array(lists, pa.list_(pa.string())))
    return _where(pc.is_valid(texts), _tags(source, texts), of_lists)


def _tags(source: SourceSettings, column: pa.Array) -> pa.ListArray:
    if source.caption and pa.types.is_string(column.type):
        return tags_of_captions(column)
    if pa.types.is_string(column.type):
        return tags_of_strings(column, source.separator or None)
    return tags_of_lists(column.cast(pa.list_(pa.string())))


def _where(chosen: pa.Array, lists: pa.ListArray, others: pa.ListArray | None = None) -> pa.ListArray:
    """Take each row's list where it is chosen, elsewhere that of `others`, or an empty one."""
    others = pa.array([[]] * len(lists), lists.type) if others is None else others
    rows = pc.if_else(
        chosen, pa.array(range(len(lists)), pa.int64()), pa.array(range(len(lists), 2 * len(lists)), pa.int64())
    )
    return pa.concat_arrays([lists, others]).take(rows)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)


_TYPES: dict[str, Callable[[pa.DataType], bool]] = {
    "text": _is_text,
    "list of texts": lambda kind: hasattr(kind, "value_type") and _is_text(kind.value_type),
    "whole number": pa.types.is_integer,
}


def _columns(source: SourceSettings, *of_image: str) -> list[str]:
    """Name the columns: that with hashtags, those that give the image, and perhaps that of the id."""
    return [source.tags or source.caption, *(of_image or [source.image]), *([source.id] if source.id else [])]


# Of each format: how posts are taken out of batches, and out of which columns.
_FORMATS: dict[str, tuple[Callable[..., _Extracted], Callable[[SourceSettings], list[str]]]] = {
    "parquet": (_from_columns, _columns),
    "csv": (_from_columns, _columns),
    "webdataset": (_from_tars, lambda source: _columns(source, "__url__", "__key__")),
    "jsonl": (_from_lines, lambda source: ["text"]),
}
