"""Reading posts of any format: id, image and hashtags of each, and nothing else."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation import engine
from igdet.curation.images.files import SEPARATOR
from igdet.curation.slices import counts_type, in_first_row
from igdet.formats.errors import TableError
from igdet.formats.posts.columns import PostColumns, described, is_text, lists_tags, usable_images
from igdet.formats.posts.parsing import limited, where
from igdet.formats.posts.text_table import KINDS, ROWS, TextFormat
from igdet.formats.posts.values import is_missing
from igdet.utils.messages import did_you_mean, shown
from igdet.utils.yaml import ConfigError

COUNTS = counts_type(reason=pa.string())
# What a post is made into; `fault` says of a wrong row what is wrong with it, and where it is.
FIELDS = pa.struct(
    [
        ("id", pa.string()),
        ("image", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("fault", pa.string()),
        ("tally", COUNTS),
    ]
)

NO_IMAGE, NO_ID, BROKEN_LINE = "posts without an image", "posts without an id", "broken lines"
BAD = (NO_IMAGE, NO_ID, BROKEN_LINE)  # such rows are unusable: too many of them stop the run
NO_TAGS, LONG_TAGS, CROWDED = "posts without hashtags", "hashtags that are too long", "posts with too many hashtags"

_SUFFIXES = {
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".tar": "webdataset",
}


@dataclass(frozen=True)
class SourceSettings:
    """Where posts are read from; a dot in a column's name leads into a structure, as in "json.caption".

    Attributes:
        paths: files, folders or patterns; local, or URLs (s3://, gs://, https://).
        format: "parquet", "jsonl", "csv" or "webdataset"; "" goes by the suffix of the paths.
        id: column that names a post; "" lets the image name it.
        image: column with the image's path or URL. In WebDataset it is the tar's path and the key.
        root: WebDataset: the folder that paths of tars are given from; the same as SHARDS.IMAGES.
        tags: column with the hashtags, as a list or in one string.
        separator: what is between two hashtags of one string; "" for white space, commas, semicolons and bars.
        caption: column with a text whose #tags are taken, instead of `tags`.
        encoding: of CSV and JSON lines, such as "windows-1252"; "" is found out.
        delimiter: between the cells of CSV; "" is found out.
        quoting: of CSV: a quotation mark within a quoted cell is "doubled" or follows a "backslash", or "none" is
            quoted; "" is found out.
        max_bad_share: share of the files, and of the rows, 0..1, that may be unusable.
    """

    paths: list[str]
    format: str = ""
    id: str = ""
    image: str = "image"
    root: str = ""
    tags: str = ""
    separator: str = ""
    caption: str = ""
    encoding: str = ""
    delimiter: str = ""
    quoting: str = ""
    max_bad_share: float = 0.05

    def __post_init__(self) -> None:
        if not self.paths:
            raise ConfigError("SOURCE.PATHS is empty; name the files, folders or patterns of the posts")
        if not 0 <= self.max_bad_share <= 1:
            raise ConfigError(f"SOURCE.MAX_BAD_SHARE must lie between 0 and 1, not {self.max_bad_share}")
        try:
            _ = self.text_format
        except TableError as error:
            raise ConfigError(f"SOURCE.{error}") from error

    @property
    def columns(self) -> PostColumns:
        """The columns of a post."""
        return PostColumns(self.image, self.tags or self.caption, self.id, bool(self.caption), self.separator)

    @property
    def text_format(self) -> TextFormat:
        """What is said of CSV and JSON lines."""
        return TextFormat(self.encoding, self.delimiter, self.quoting)


def format_of(source: SourceSettings, path: str) -> str:
    """Return the format of the source's files.

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
            f"SOURCE.FORMAT: {shown(found)} (of {path}) is none of {known}{did_you_mean(found, engine.FORMATS)}; "
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
        self._format = _FORMATS[source_format]

    @property
    def inputs(self) -> list[str]:
        """The columns that it wants; a dot leads into a structure."""
        return self._format.inputs(self._source)

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
                    f"{where}: there is no column {shown(column)}; there are {', '.join(types)}"
                    f"{did_you_mean(column, types)}"
                )
            also = {self._source.tags: "list of texts", self._source.id: "whole number"}.get(column, "text")
            if not any(_TYPES[name](types[column]) for name in ("text", also)):
                expected = " or ".join(sorted({"text", also}))
                raise ConfigError(f"{where}: {described(column, types[column], expected)}")
        return str({column: str(types[column]) for column in self.inputs})

    def __call__(self, *columns: pa.Array) -> pa.StructArray:
        """Return the posts of a batch.

        Args:
            columns: arrays (n,) of `inputs`.

        Returns:
            struct (n,) of `FIELDS`. Every row goes on, so that rows are easily counted; unusable ones have no
            hashtags.
        """
        ids, images, lists, faults = self._format.extract(self._source, *columns)
        broken = len(faults) - faults.null_count
        has_image = usable_images(images)
        has_id = pc.invert(is_missing(ids))
        usable = pc.and_(has_image, has_id)
        tags, long_tags, crowded = limited(where(usable, lists))
        counts = {
            BROKEN_LINE: broken,
            NO_IMAGE: has_image.false_count - broken,
            NO_ID: pc.and_(has_image, pc.invert(has_id)).true_count,
            NO_TAGS: pc.and_(usable, pc.equal(pc.list_value_length(tags), 0)).true_count,
            LONG_TAGS: long_tags,
            CROWDED: crowded,
        }
        tally = pa.table({"reason": list(counts), "posts": list(counts.values())})
        arrays = [ids, images, tags, faults, in_first_row(tally, len(ids), COUNTS)]
        return pa.StructArray.from_arrays(arrays, fields=list(FIELDS))


class _Extracted(NamedTuple):
    """Arrays (n,) of ids, images, hashtags, and of what is wrong with a row."""

    ids: pa.Array
    images: pa.Array
    tags: pa.ListArray
    faults: pa.Array


def _from_columns(source: SourceSettings, text: pa.Array, images: pa.Array, *ids: pa.Array) -> _Extracted:
    images = images.cast(pa.string())
    ids = ids[0].cast(pa.string()) if ids else images
    return _Extracted(ids, images, source.columns.tags(text), pa.nulls(len(images), pa.string()))


def _from_tars(source: SourceSettings, text: pa.Array, urls: pa.Array, keys: pa.Array, *ids: pa.Array) -> _Extracted:
    root = Path(source.root).expanduser().resolve()
    prefix = f"^(file://)?({re.escape(str(root))}/)?"
    images = pc.binary_join_element_wise(pc.replace_substring_regex(urls, prefix, ""), keys, SEPARATOR)
    return _from_columns(source, text, images, *ids)


def _from_rows(
    source: SourceSettings, ids: pa.Array, images: pa.Array, text: pa.Array, lists: pa.Array, faults: pa.Array
) -> _Extracted:
    return _Extracted(ids, images, source.columns.tags(text, lists), faults)


_TYPES: dict[str, Callable[[pa.DataType], bool]] = {
    "text": is_text,
    "list of texts": lists_tags,
    "whole number": pa.types.is_integer,
}


def _columns(source: SourceSettings, *of_image: str) -> list[str]:
    """Name the columns: that with hashtags, those that give the image, and perhaps that of the id."""
    return [source.tags or source.caption, *(of_image or [source.image]), *([source.id] if source.id else [])]


class _Format(NamedTuple):
    """How posts are taken out of batches, and out of which columns."""

    extract: Callable[..., _Extracted]
    inputs: Callable[[SourceSettings], list[str]]


_FORMATS = {
    "parquet": _Format(_from_columns, _columns),
    "webdataset": _Format(_from_tars, lambda source: _columns(source, "__url__", "__key__")),
    **dict.fromkeys(KINDS, _Format(_from_rows, lambda source: ROWS.names[1:])),
}
