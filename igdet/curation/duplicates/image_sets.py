"""Sets of images with an id each: a folder, a table of posts, or shards."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from igdet.curation.images import ImageError, ImageSource
from igdet.formats.images import describe, list_images
from igdet.formats.shards import ShardError, ShardIndex, ShardReader
from igdet.formats.shards.format import INDEX_NAME
from igdet.utils.errors import UserError

logger = logging.getLogger(__name__)
_TABLE_SUFFIXES = (".csv", ".parquet")


class DuplicatesError(UserError):
    """Images, pairs or judgements that near-duplicates cannot be found or removed with."""


@dataclass(frozen=True)
class ImageSet:
    """Images that can be read in any order, also in another process.

    Attributes:
        ids: N names, each once: the path in a folder, the column id of a table, the key in shards.
        read: gives the image file of a row, 0..N - 1; raises ImageError.
    """

    ids: pa.Array
    read: Callable[[int], bytes]

    def __post_init__(self) -> None:
        if self.ids.null_count or pc.count_distinct(self.ids).as_py() != len(self.ids):
            counts = pc.value_counts(self.ids)
            repeated = counts.filter(pc.greater(counts.field("counts"), 1)).field("values").to_pylist()
            raise DuplicatesError(f"every image needs an id of its own; null or repeated: {repeated[:5] or 'null'}")

    def __len__(self) -> int:
        return len(self.ids)


def open_image_set(path: str | PathLike, root: str | PathLike = "") -> ImageSet:
    """Open a set of images.

    Args:
        path: a folder of shards; a .csv or .parquet table with the columns id and image, or a folder of such Parquet
            files; or a folder of images, at any depth.
        root: what the images of a table are relative to; "" is the folder of the table.

    Raises:
        DuplicatesError: there is no image, or it is no such set.
        ShardError: the shards are broken.
    """
    path = Path(path).expanduser()
    if path.suffix in _TABLE_SUFFIXES and path.is_file():
        return _open_table([path], Path(root or path.parent))
    if not path.is_dir():
        raise DuplicatesError(f"{path}: expected shards, a .csv or .parquet table, or a folder of images")
    if (path / INDEX_NAME).is_file():
        index = ShardIndex.open(path)
        return ImageSet(index.keys.cast(pa.string()), _InShards(ShardReader(index)))
    if tables := sorted(path.rglob("*.parquet")):
        return _open_table(tables, Path(root or path))
    return _open_folder(path)


@dataclass(frozen=True)
class _InShards:
    reader: ShardReader

    def __call__(self, row: int) -> bytes:
        try:
            return self.reader.read(row)
        except ShardError as error:
            raise ImageError("cut_short", str(error)) from error


def addressed_images(ids: pa.Array, images: pa.Array, root: Path) -> ImageSet:
    """Make a set of images that lie at addresses.

    Args:
        ids: string (N,), each once.
        images: string (N,): paths relative to `root`, or URLs.
        root: a folder.
    """
    return ImageSet(ids, _Addressed(images, ImageSource(root)))


@dataclass(frozen=True)
class _Addressed:
    images: pa.Array
    source: ImageSource

    def __call__(self, row: int) -> bytes:
        return self.source.read(self.images[row].as_py())


def _open_folder(folder: Path) -> ImageSet:
    """List the images of a folder, sorted, so that a set is the same on every machine."""
    images, passed_over = list_images(folder)
    if not images:
        raise DuplicatesError(f"{folder} holds no images that can be read; passed over: {describe(passed_over) or 0}")
    if passed_over:
        logger.warning(f"{folder}: passed over: {describe(passed_over)}")
    paths = pa.array(images, pa.string())
    return addressed_images(paths, paths, folder)


def _open_table(files: list[Path], root: Path) -> ImageSet:
    from pyarrow import dataset  # only here: it imports pandas

    try:
        if files[0].suffix == ".csv":
            as_text = pa.csv.ConvertOptions(column_types={"id": pa.string(), "image": pa.string()})  # 007 is no number
            table = pa.csv.read_csv(files[0], convert_options=as_text)
        else:
            table = dataset.dataset([str(file) for file in files]).to_table(columns=["id", "image"])
        ids, images = (table[name].cast(pa.string()).combine_chunks() for name in ("id", "image"))
    except (pa.ArrowException, OSError, KeyError) as error:
        raise DuplicatesError(f"{files[0]}: expected a table with the columns id and image: {error}") from error
    if not len(ids) or images.null_count:
        raise DuplicatesError(f"{files[0]}: {len(ids)} posts, {images.null_count} of them without an image")
    return addressed_images(ids, images, root)
