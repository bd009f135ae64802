"""The posts of the vocabulary's stage: labels by number, in an order of their own, behind those that are carried."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.curation import engine
from igdet.curation.appending import AppendSettings
from igdet.curation.labels.numbering import FIELDS, Numberer
from igdet.curation.pace import Step
from igdet.curation.settings import Curation
from igdet.curation.shards.labelled_posts import SCHEMA
from igdet.curation.slices import carry_parts, files_by_part, make_parts, remove_parts
from igdet.curation.stages import labels
from igdet.utils.files import atomic_write

FOLDER = "vocabulary/posts"  # increments, of parts: id, image, labels
INCREMENT = "increment-{:05d}"  # posts of one curation: of the first, then of each that has added to it
BUCKET_POSTS = 1_000_000  # about 300 MB of memory while they are sorted
_NUMBERED = "vocabulary/numbered"  # parts of posts, each parted into buckets
_KNOWN = "vocabulary/known"  # likewise, of the ids that are carried
_UNLABELLED, _DOUBLED = "posts without a label of the vocabulary", "posts with the id of another"
_ORDER = [("order", "ascending"), ("id", "ascending"), ("image", "ascending")]  # of an id the first post stays
_ORDER += [("carried", "descending"), ("numbers", "ascending")]


class Flow(NamedTuple):
    """Posts: read, left with a label of the vocabulary, and of these kept with an id of their own."""

    read: int
    labelled: int
    kept: int

    def lost(self) -> dict[str, int]:
        """Return why posts were left out: reason -> number."""
        return {_UNLABELLED: self.read - self.labelled, _DOUBLED: self.labelled - self.kept}


def increments(output: Path) -> list[Path]:
    """Return the folders of a curation's posts, in the order in which they were added."""
    return sorted((output / FOLDER).glob("increment-*"))


def make(curation: Curation, labels_file: Path, fingerprint: str) -> tuple[Flow, list[Step]]:
    """Number the labels of the posts, and bring them in order.

    Where an earlier curation is carried, its posts stay as they are, and those that are added follow as a further
    increment: in an order of their own, without the ids that are there already.

    Args:
        curation: the config.
        labels_file: the table of the vocabulary's labels.
        fingerprint: of all that the posts depend on.

    Returns:
        What became of all posts, the carried ones included, and how fast it went.
    """
    folder, wanted = curation.folder, files_by_part(curation.folder / labels.POSTS)
    carried: list[Path] = []
    if earlier := curation.carried_from:
        carried = increments(earlier.folder)
        wanted = wanted[len(labels.carried_parts(curation)) :]
    known = [files for increment in carried for files in files_by_part(increment)]
    read = _count(wanted)
    buckets = max(1, -(-(read + _count(known)) // BUCKET_POSTS))
    number = partial(_number, Numberer(labels_file), buckets)
    numbered = make_parts(folder / _NUMBERED, fingerprint, wanted, number, "label ids")
    parted = make_parts(folder / _KNOWN, fingerprint, known, partial(_part, buckets), "known ids") if known else None
    before = bucket_files(parted.files if parted else [])
    by_bucket = [[*before.get(bucket, []), *files] for bucket, files in bucket_files(numbered.files).items()]
    merge = partial(merge_bucket, folder / _KNOWN)
    ordered = make_parts(_carry(carried, folder, fingerprint), fingerprint, by_bucket, merge, "order of the posts")
    flow = Flow(read, engine.count_rows(numbered.files), engine.count_rows(ordered.files))
    for parts in (_NUMBERED, _KNOWN):
        remove_parts(folder / parts)
    steps = [numbered.step, *([parted.step] if parted else []), ordered.step]
    return _with_carried(flow, earlier), steps


def _count(parts: Sequence[Sequence[str]]) -> int:
    return engine.count_rows(list(map(Path, chain.from_iterable(parts))))


def _number(numberer: Numberer, buckets: int, paths: Sequence[str], folder: Path) -> None:
    frame = engine.map_batches(engine.read("parquet", paths), numberer, ["labels"], FIELDS, keep=["id", "image"])
    engine.write_buckets(frame, "id", buckets, "labels", folder)


def _part(buckets: int, paths: Sequence[str], folder: Path) -> None:
    frame = engine.map_batches(engine.read("parquet", paths), _as_they_are, ["labels"], FIELDS, keep=["id"])
    engine.write_buckets(frame, "id", buckets, "labels", folder)


def _as_they_are(numbers: pa.ListArray) -> pa.StructArray:
    return pa.StructArray.from_arrays([numbers], fields=list(FIELDS))


def bucket_files(files: Sequence[Path]) -> dict[int, list[str]]:
    """Group files that lie in folders "bucket=N" by their bucket, in the order of buckets."""
    found: dict[int, list[str]] = defaultdict(list)
    for file in files:
        found[int(file.parent.name.removeprefix("bucket="))].append(str(file))
    return {bucket: found[bucket] for bucket in sorted(found)}


def merge_bucket(known: Path, paths: Sequence[str], folder: Path) -> None:
    """Merge what the parts hold of a bucket.

    The order is that of a hash of the id: the same on every machine, whatever the parts were, and as good as shuffled,
    so that neighbours in a shard have nothing in common. Of posts with one id the one with the first image stays, and
    of those the one with the most labels, or with the first as text: a rule that does not depend on the order of work
    either.

    Args:
        known: a folder; posts are left out whose ids are in a file of it.
        paths: Parquet files of one bucket, with the columns order (uint64), id, image and labels.
        folder: where the posts go, as one Parquet file.
    """
    before = [path for path in paths if Path(path).is_relative_to(known)]
    table = _read([path for path in paths if path not in before])
    if before:
        table = table.filter(pc.invert(pc.is_in(table["id"], _read(before)["id"].combine_chunks())))
    table = table.append_column("carried", pc.list_value_length(table["labels"]))
    table = table.append_column("numbers", pc.binary_join(table["labels"].cast(pa.list_(pa.string())), " "))
    table = table.sort_by(_ORDER)
    ids = table["id"].combine_chunks()
    is_new = np.ones(len(ids), dtype=bool)
    is_new[1:] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    with atomic_write(folder / "posts.parquet") as file:
        pq.write_table(table.filter(is_new).select(SCHEMA.names).cast(SCHEMA), file, compression="zstd")


def _read(paths: Sequence[str]) -> pa.Table:
    from pyarrow import dataset  # only here: it imports pandas

    return dataset.dataset(list(paths), format="parquet", partitioning=None).to_table()


def _carry(carried: Sequence[Path], folder: Path, fingerprint: str) -> Path:
    """Let carried increments, and no others, be in a folder too; return where the one that is added goes."""
    own = folder / FOLDER / INCREMENT.format(len(carried))
    for stale in increments(folder):
        if stale.name > own.name:
            remove_parts(stale)
    for increment in carried:
        carry_parts(increment, folder / FOLDER / increment.name, fingerprint)
    return own


def _with_carried(flow: Flow, earlier: AppendSettings | None) -> Flow:
    """Count the carried posts too, as the earlier curation did."""
    if earlier is None:
        return flow
    manifest = earlier.needed("vocabulary")
    labelled = manifest.rows_in - manifest.counts[_UNLABELLED]
    return Flow(flow.read + manifest.rows_in, flow.labelled + labelled, flow.kept + manifest.rows_out)
