"""The index as plain arrays on the disk: made once from the Parquet file, then mapped by every process.

A process that maps them shares one copy with all others on its machine and starts at once, whatever the number of
posts; 3.5 billion posts with 32 letters of key and 2 hashtags each take 68 bytes each, 238 GB.
"""

import json
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from igdet.formats.shards.format import INDEX_SCHEMA, LABELS, ShardError, read_index
from igdet.formats.vocabulary import VOCABULARY_NAME, Vocabulary
from igdet.utils.cache import cache_folder, made_once
from igdet.utils.files import atomic_write, map_array
from igdet.utils.hashing import sha256

_VERSION = "2"  # to be raised whenever the same index gives other files
_SHARDS = "shards.json"
# File -> numbers in it; see `IndexColumns`.
_KINDS: dict[str, type[np.integer]] = {
    "offsets": np.int64,
    "sizes": np.uint32,
    "label_offsets": np.int64,
    "label_ids": np.int32,
    "key_offsets": np.int64,
    "key_letters": np.uint8,
}


@dataclass(frozen=True)
class IndexColumns:
    """The columns of an index; see `igdet.formats.shards.ShardIndex` for those that are named there too.

    Shapes: N posts, S shards, M labels of all posts together, K letters of all keys together.

    Attributes:
        folder: where their files are.
        shard_names: S file names.
        shard_starts: int64 (S,): the first post of each shard.
        shard_bytes: int64 (S,): how long each shard must be at least, in bytes.
        arrays: offsets int64 (N,), sizes uint32 (N,), label_offsets int64 (N + 1,), label_ids int32 (M,),
            key_offsets int64 (N + 1,), key_letters uint8 (K,).
    """

    folder: Path
    shard_names: list[str]
    shard_starts: np.ndarray
    shard_bytes: np.ndarray
    arrays: dict[str, np.ndarray]


def open_columns(index: Path) -> IndexColumns:
    """Map the columns of an index, made again when it has changed.

    Args:
        index: the Parquet file; the vocabulary lies beside it.

    Raises:
        ShardError: the index cannot be read or contradicts itself.
        CacheError: the columns cannot be written.
    """
    state = index.stat()
    fingerprint = f"{_VERSION} {index.resolve()} {state.st_size} {state.st_mtime_ns}"
    return map_columns(made_once(_home(index), fingerprint, lambda folder: _Builder(index).write(folder)))


def map_columns(folder: Path) -> IndexColumns:
    """Map columns that are made already."""
    shards = json.loads((folder / _SHARDS).read_text(encoding="utf-8"))
    arrays = {name: map_array(folder / f"{name}.bin", kind) for name, kind in _KINDS.items()}
    return IndexColumns(
        folder, shards["names"], np.array(shards["starts"], np.int64), np.array(shards["bytes"], np.int64), arrays
    )


def _home(index: Path) -> Path:
    digest = sha256(str(index.resolve()).encode())[:16]
    return cache_folder() / "indexes" / f"{index.resolve().parent.name}-{digest}"


class _Builder:
    """Goes through an index once, a batch of rows in memory, and checks what it writes.

    Args:
        index: the Parquet file.
    """

    def __init__(self, index: Path):
        self._index = index
        self._num_labels = len(Vocabulary.read(index.with_name(VOCABULARY_NAME)))
        self._starts: dict[str, int] = {}  # shard -> its first post, in the order of the index
        self._bytes: dict[str, int] = {}  # shard -> where its last image ends
        self._posts = self._labels = self._letters = 0  # so far

    def write(self, folder: Path) -> None:
        """Write the columns' files into a folder."""
        with ExitStack() as stack:
            files = {name: stack.enter_context((folder / f"{name}.bin").open("wb")) for name in _KINDS}
            for name in ("label_offsets", "key_offsets"):
                np.zeros(1, _KINDS[name]).tofile(files[name])
            for batch in self._batches():
                for name, numbers in self._columns(batch).items():
                    numbers.astype(_KINDS[name], copy=False).tofile(files[name])
                self._posts += len(batch)
        shards = {"names": list(self._starts), "starts": [*self._starts.values()], "bytes": [*self._bytes.values()]}
        with atomic_write(folder / _SHARDS, "w") as file:
            json.dump(shards, file)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from read_index(self._index, *INDEX_SCHEMA.names)
        except (pa.ArrowException, OSError) as error:
            raise ShardError(f"{self._index} cannot be read as Parquet: {error}; write the shards again") from error

    def _columns(self, batch: pa.RecordBatch) -> dict[str, np.ndarray]:
        """Return what a batch adds to each file."""
        for name in INDEX_SCHEMA.names:
            self._check(batch, pc.is_valid(batch.column(name)).to_numpy(zero_copy_only=False), f"has no {name}")
        offsets, sizes = (batch.column(name).to_numpy() for name in ("offset", "size"))
        fits = (offsets >= tarfile.BLOCKSIZE) & (sizes >= 0) & (sizes <= np.iinfo(_KINDS["sizes"]).max)
        self._check(batch, fits, "has an image where no tar can hold one")
        self._add_shards(batch, offsets + sizes)
        return {"offsets": offsets, "sizes": sizes, **self._label_columns(batch), **self._key_columns(batch)}

    def _label_columns(self, batch: pa.RecordBatch) -> dict[str, np.ndarray]:
        column = batch.column(LABELS)
        counts = pc.list_value_length(column).to_numpy()
        self._check(batch, counts > 0, "has no label")
        posts, ids = np.repeat(np.arange(len(batch)), counts), column.flatten().to_numpy(zero_copy_only=False)
        known = (ids >= 0) & (ids < self._num_labels)
        first_unknown = ids[np.argmin(known)] if len(ids) else 0
        why = f"has the label id {first_unknown}, but {VOCABULARY_NAME} has the ids 0 to {self._num_labels - 1}"
        self._check(batch, known, why, posts)
        ascending = np.diff(ids, prepend=-1) > 0
        ascending[np.cumsum(counts) - counts] = True  # the order starts over at each post
        self._check(batch, ascending, "has label ids that are not distinct and ascending", posts)
        offsets = self._labels + np.cumsum(counts, dtype=np.int64)
        self._labels = int(offsets[-1])
        return {"label_offsets": offsets, "label_ids": ids}

    def _key_columns(self, batch: pa.RecordBatch) -> dict[str, np.ndarray]:
        keys = pc.cast(batch.column("key"), pa.large_string())
        _, ends, letters = keys.buffers()
        ends = np.frombuffer(ends, np.int64)[keys.offset : keys.offset + len(keys) + 1]
        offsets = self._letters + ends[1:] - ends[0]
        self._letters = int(offsets[-1])
        return {"key_offsets": offsets, "key_letters": np.frombuffer(letters or b"", np.uint8)[ends[0] : ends[-1]]}

    def _add_shards(self, batch: pa.RecordBatch, image_ends: np.ndarray) -> None:
        shards = batch.column("shard")
        codes, names = shards.indices.to_numpy(), shards.dictionary.to_pylist()
        firsts = np.flatnonzero(np.diff(codes, prepend=-1))
        for first, end in zip(firsts.tolist(), np.maximum.reduceat(image_ends, firsts).tolist(), strict=True):
            name = names[codes[first]]
            if name not in self._starts:
                self._starts[name] = self._posts + first
            elif name != next(reversed(self._starts)):
                self._fail(batch, first, f"is in the shard {name} again: the posts of a shard stand together")
            self._bytes[name] = max(end, self._bytes.get(name, 0))

    def _check(self, batch: pa.RecordBatch, fits: np.ndarray, why: str, posts: np.ndarray | None = None) -> None:
        if not fits.all():
            first = int(np.argmin(fits))
            self._fail(batch, first if posts is None else int(posts[first]), why)

    def _fail(self, batch: pa.RecordBatch, i: int, why: str) -> None:
        key = batch.column("key")[i].as_py()
        raise ShardError(f"{self._index}: row {self._posts + i + 1}, key {key}, {why}; write the shards again")
