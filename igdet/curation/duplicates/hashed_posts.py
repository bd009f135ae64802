"""PDQ hashes of many posts' images, in files, so that they are made once and compared by all machines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.curation import engine
from igdet.curation.duplicates.hamming import Hits, join, pairs_within
from igdet.curation.duplicates.image_sets import addressed_images
from igdet.curation.duplicates.perceptual import BITS, MAX_SIDE, Hashes, hash_image, without_featureless
from igdet.curation.duplicates.result import pair_table
from igdet.curation.duplicates.scanning import Reader, Skipped, count_bad, too_many_bad
from igdet.utils.errors import too_many
from igdet.utils.files import atomic_write

ORIENTATIONS = 8  # of images that are searched for; of those that are searched the first is enough
_GROUP = 1_000_000  # images that are compared at a time: 256 MB of hashes in all orientations
_ITEM, _FEWEST = 10_000, 8  # posts that are hashed at a time, and into how many items fewer posts are cut
_MOST_BAD = 0.5  # of an item, which by chance may have more than is allowed of all
_HASH_BYTES = BITS // 8
FILE = "hashes.parquet"  # of an item
# One row for each image. Of those that are skipped there are no bits, but a reason.
_SCHEMA = [("id", pa.string()), ("reason", pa.string()), ("why", pa.string())]


def cut(files: Sequence[Path]) -> list[list[str]]:
    """Cut the rows of Parquet files into items of work: file, first row, row after the last."""
    rows = [pq.read_metadata(file).num_rows for file in files]
    size = min(_ITEM, max(1, -(-sum(rows) // _FEWEST)))
    return [
        [str(file), str(start), str(min(start + size, count))]
        for file, count in zip(files, rows, strict=True)
        for start in range(0, count, size)
    ]


@dataclass(frozen=True)
class PostHasher:
    """Hashes the images of posts; can be sent to other processes and machines.

    Attributes:
        root: what the images' paths are relative to.
        orientations: how many of the hashes are kept, 1 or `ORIENTATIONS`.
        max_bad_share: share of all images, 0..1, that may be bad; of those of an item half may.
    """

    root: Path
    orientations: int
    max_bad_share: float

    def __call__(self, item: Sequence[str], folder: Path) -> None:
        """Hash the posts of an item, see `cut`, into a file of the folder.

        Raises:
            DuplicatesError: most images are bad: a disk or a server may be away.
        """
        file, start, stop = item[0], int(item[1]), int(item[2])
        posts = pq.read_table(file, columns=["id", "image"], partitioning=None).slice(start, stop - start)
        ids, images = posts["id"].combine_chunks(), pc.fill_null(posts["image"], "").combine_chunks()
        images = addressed_images(ids, images, self.root)
        scanned = without_featureless(Reader(images, hash_image, MAX_SIDE)(0, len(images)), ids)
        bad, most = count_bad(scanned.skipped), max(_MOST_BAD, self.max_bad_share)
        if too_many(bad, len(images), most):
            raise too_many_bad(bad, len(images), scanned.skipped[-1], most)
        bits = np.empty((len(scanned.values), self.orientations, _HASH_BYTES), np.uint8)
        for row, (value, _) in enumerate(scanned.values):
            bits[row] = value[: self.orientations]
        write_hashes(Hashes(ids.take(pa.array(scanned.rows, pa.int64())), bits, scanned.skipped), folder / FILE)


def write_hashes(hashes: Hashes, path: Path) -> None:
    """Write hashes, with what is skipped, as Parquet."""
    count, *width = hashes.bits.shape
    kind = pa.binary(int(np.prod(width)))
    bits = pa.array([one.tobytes() for one in hashes.bits], kind)
    nothing = pa.nulls(count, pa.string())
    hashed = pa.table([hashes.ids, nothing, nothing, bits], schema=pa.schema([*_SCHEMA, ("bits", kind)]))
    left_out = pa.Table.from_pylist([one._asdict() for one in hashes.skipped], pa.schema(_SCHEMA))
    table = pa.concat_tables([hashed, left_out.append_column("bits", pa.nulls(len(left_out), kind))])
    with atomic_write(path) as file:
        pq.write_table(table, file, compression="zstd")


def read_skipped(files: Sequence[Path]) -> list[Skipped]:
    """Return the images that have no hash."""
    return [
        Skipped(**row)
        for file in files
        for row in pq.read_table(
            file, columns=[*Skipped._fields], filters=pc.field("reason").is_valid(), partitioning=None
        ).to_pylist()
    ]


class _Hashed(NamedTuple):
    """Hashed images of some files.

    Attributes:
        ids: n names.
        rows: int64 (n,): their rows among all files.
        bits: uint8 (n, orientations, 32).
    """

    ids: pa.Array
    rows: np.ndarray
    bits: np.ndarray


class _Group(NamedTuple):
    """Files whose images are compared together, and how many rows the files before them have."""

    files: list[str]
    first_row: int

    def read(self) -> _Hashed:
        """Read the hashes."""
        table = pa.concat_tables(pq.read_table(file, columns=["id", "bits"], partitioning=None) for file in self.files)
        has_bits = table["bits"].is_valid()
        rows = self.first_row + np.flatnonzero(has_bits.to_numpy())
        ids, bits = (table[name].filter(has_bits).combine_chunks() for name in ("id", "bits"))
        values = np.frombuffer(bits.buffers()[1], np.uint8, len(bits) * bits.type.byte_width)
        return _Hashed(ids, rows, values.reshape(len(bits), bits.type.byte_width // _HASH_BYTES, _HASH_BYTES))


def _groups(files: Sequence[Path]) -> list[_Group]:
    """Put files together, `_GROUP` images at the most unless one has more."""
    groups: list[_Group] = []
    first_row = room = 0
    for file in files:
        rows = pq.read_metadata(file).num_rows
        if not groups or rows > room:
            groups.append(_Group([], first_row))
            room = _GROUP
        groups[-1].files.append(str(file))
        first_row += rows
        room -= rows
    return groups


def find_pairs(indexed: Sequence[Path], queries: Sequence[Path], max_distance: int) -> pa.Table:
    """Find all pairs of images whose hashes differ little, as work of the engine, a pair of groups at a time.

    Args:
        indexed: files of hashes that are searched.
        queries: files of hashes, in all orientations, that are searched for; none searches among `indexed` itself.
        max_distance: bits, 0..255.

    Returns:
        a table of `igdet.curation.duplicates.result.SCHEMA`; within a set each pair once, the image that comes first
        as the query.
    """
    tasks = product(_groups(queries or indexed), _groups(indexed))
    work = partial(_compare, max_distance, not queries)
    found = [done.result for done in engine.map_in_order(work, tasks)]
    hits = join([part.hits for part in found])
    query_ids, match_ids = (pa.chunked_array(ids, pa.string()) for ids in ([part[i] for part in found] for i in (1, 2)))
    name_query, name_match = _names(hits.queries, query_ids), _names(hits.matches, match_ids)
    if not queries:
        both = np.concatenate([hits.queries, hits.matches])
        name_query = name_match = _names(both, pa.chunked_array([*query_ids.chunks, *match_ids.chunks], pa.string()))
        hits = hits.within()
    places = np.arange(len(hits.scores))
    return pair_table(name_query(hits.queries), name_match(hits.matches), Hits(places, places, hits.scores), "pdq")


class _Pairs(NamedTuple):
    """M pairs that were found, by their rows among all files, and the ids of both images of each."""

    hits: Hits
    query_ids: pa.Array
    match_ids: pa.Array


def _compare(max_distance: int, is_within: bool, queries: _Group, indexed: _Group) -> _Pairs:
    wanted, among = queries.read(), indexed.read()
    hits = pairs_within(wanted.bits, among.bits[:, 0], max_distance)
    if is_within:
        hits = hits.where(wanted.rows[hits.queries] != among.rows[hits.matches])  # an image is near to itself
    ids = wanted.ids.take(pa.array(hits.queries)), among.ids.take(pa.array(hits.matches))
    return _Pairs(hits._replace(queries=wanted.rows[hits.queries], matches=among.rows[hits.matches]), *ids)


def _names(rows: np.ndarray, ids: pa.ChunkedArray) -> Callable[[np.ndarray], pa.Array]:
    """Return what names rows, of those that are given here with their ids."""
    known, first = np.unique(rows, return_index=True)
    names = ids.take(pa.array(first)).combine_chunks()
    return lambda wanted: names.take(pa.array(np.searchsorted(known, wanted)))
