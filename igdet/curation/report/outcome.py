"""What a curation has come to so far: the manifests and tables in its output folder, large ones read in pieces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.curation.labels.canonical import Canonicaliser
from igdet.curation.labels.label_table import SCHEMA
from igdet.curation.manifest import Manifest, read_manifest
from igdet.curation.slices import parquet_files, parts_of
from igdet.curation.stage_log import StageLog, read_stage_log
from igdet.curation.stages import duplicates, labels, numbered_posts, posts, shards, vocabulary
from igdet.formats.shards.summary import read_summary

_BATCH = 65_536  # rows
STAGES = {  # in their order: what the report lacks without them
    posts.FOLDER: "the posts",
    labels.FOLDER: "their labels",
    vocabulary.FOLDER: "the vocabulary",
    duplicates.FOLDER: "",  # only when the config asks for it, like the shards
    shards.FOLDER: "",
}
_LABELS = pa.schema(
    [SCHEMA.field(name) for name in ("label", "name", "posts")]
)  # without the tags: tags.parquet has them
_TAGS = pa.schema([("tag", pa.string()), ("label", pa.string()), ("rule", pa.string()), ("posts", pa.int64())])


def list_lengths(files: Sequence[Path], column: str) -> np.ndarray:
    """Count how long the lists of a column are.

    Args:
        files: Parquet files.
        column: of lists; null counts as an empty one.

    Returns:
        int64 (K,): how many lists have 0, 1, 2, ... entries.
    """
    counts = np.zeros(1, np.int64)
    for file in files:
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(_BATCH, columns=[column]):
                lengths = pc.fill_null(pc.list_value_length(batch[column]), 0).to_numpy()
                longer = np.bincount(lengths, minlength=len(counts))
                longer[: len(counts)] += counts
                counts = longer
    return counts


def random_rows(files: Sequence[Path], columns: list[str], number: int, seed: int) -> list[dict]:
    """Draw rows, all equally likely, each at most once.

    Args:
        files: Parquet files.
        columns: to read.
        number: of rows; fewer when there are not so many.
        seed: of the draw.

    Returns:
        The rows, in their order.
    """
    total = sum(pq.read_metadata(file).num_rows for file in files)
    wanted = np.random.default_rng(seed).choice(total, min(number, total), replace=False)
    return list(_take(files, columns, np.sort(wanted)))


def lookup(table: pa.Table, keys: pa.Array | pa.ChunkedArray, key: str, value: str) -> dict[str, str]:
    """Read a few rows of a table of two columns as a dictionary.

    Args:
        table: the table.
        keys: the keys that are wanted; those that the table does not have are left out.
        key: column of strings.
        value: column; of rows with one key the last one counts.
    """
    rows = table.filter(pc.is_in(table[key], keys))
    return dict(zip(rows[key].to_pylist(), rows[value].to_pylist(), strict=True))


def _take(files: Sequence[Path], columns: list[str], wanted: np.ndarray) -> Iterator[dict]:
    """Read the row groups that hold wanted rows, and no others."""
    start = 0
    for file in files:
        with pq.ParquetFile(file) as parquet:
            for group in range(parquet.num_row_groups):
                rows = parquet.metadata.row_group(group).num_rows
                inside = wanted[(wanted >= start) & (wanted < start + rows)] - start
                if len(inside):
                    yield from parquet.read_row_group(group, columns).take(inside).to_pylist()
                start += rows


@dataclass(frozen=True)
class Outcome:
    """What is finished.

    Attributes:
        folder: the output folder of the curation.
        canonicaliser: from hashtags to labels, as in the curation.
    """

    folder: Path
    canonicaliser: Canonicaliser

    @cached_property
    def manifests(self) -> dict[str, Manifest]:
        """Stage -> manifest, of those that are finished, with their files still there.

        A stage that builds on another result than what is there belongs to an earlier run, as does all behind a gap.
        """
        found: dict[str, Manifest] = {}
        results = {""}
        for stage, what in STAGES.items():
            manifest = read_manifest(self.folder, stage)
            if manifest and self._is_there(manifest) and manifest.before in results:
                found[stage] = manifest
                results.add(manifest.fingerprint)
            elif what:
                break
        return found

    @cached_property
    def logs(self) -> dict[str, StageLog]:
        """Stage -> how it was done, as far as that is known, of those that are finished."""
        logs = {stage: read_stage_log(self.folder, stage, of.fingerprint) for stage, of in self.manifests.items()}
        return {stage: log for stage, log in logs.items() if log}

    def _is_there(self, manifest: Manifest) -> bool:
        return manifest.is_current(manifest.fingerprint, self.folder)

    @property
    def unfinished(self) -> list[str]:
        """What the report lacks."""
        return [what for stage, what in STAGES.items() if what and stage not in self.manifests]

    @cached_property
    def tags(self) -> pa.Table:
        """The normal forms of hashtags: tag, label, rule, posts; the most frequent first."""
        return self._read(labels.TAGS, _TAGS)

    @cached_property
    def labels(self) -> pa.Table:
        """Every label: label, name, posts; the most frequent first."""
        return self._read(labels.LABELS, _LABELS)

    @cached_property
    def kept(self) -> pa.Table:
        """The labels of the vocabulary: label, name, posts; row number = label id."""
        return self._read(vocabulary.KEPT_LABELS, _LABELS)

    @cached_property
    def dropped(self) -> pa.Table:
        """The other labels: label, name, posts, reason."""
        return self._read(vocabulary.DROPPED_LABELS, _LABELS.append(pa.field("reason", pa.string())))

    @cached_property
    def sampling(self) -> pa.Table:
        """The labels of the vocabulary under each resampling; columns as `sampling_table` says."""
        return pq.read_table(self.folder / vocabulary.SAMPLING)

    @cached_property
    def targets(self) -> pa.Table | None:
        """The target classes: key, rule, labels, posts; None for a recipe without any."""
        is_there = vocabulary.TARGETS in self.manifests[vocabulary.FOLDER].files
        return pq.read_table(self.folder / vocabulary.TARGETS) if is_there else None

    @cached_property
    def set_name(self) -> str:
        """The name of the set that the shards are."""
        return read_summary(self.folder / shards.FOLDER, with_shards=False).name  # their manifest has their sizes

    @cached_property
    def tags_per_post(self) -> np.ndarray:
        """int64 (K,): how many posts have 0, 1, 2, ... hashtags."""
        return list_lengths(self.post_files, "tags")

    @cached_property
    def labels_per_post(self) -> np.ndarray:
        """int64 (K,): how many posts have 0, 1, 2, ... labels of the vocabulary."""
        return list_lengths(parquet_files(numbered_posts.increments(self.folder)), "labels")

    @property
    def post_files(self) -> list[Path]:
        """The Parquet files of posts with their hashtags as written."""
        return parts_of(self.folder / posts.FOLDER)

    def _read(self, path: str, schema: pa.Schema) -> pa.Table:
        return pq.read_table(self.folder / path, columns=schema.names).cast(schema)
