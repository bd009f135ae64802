"""What a curation has come to so far: the manifests and tables in its output folder."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from igdet.curation.canonical import Canonicaliser
from igdet.curation.label_table import SCHEMA
from igdet.curation.manifest import Manifest, read_manifest
from igdet.curation.report.reading import list_lengths
from igdet.curation.slices import parts_of
from igdet.curation.stages import duplicates, labels, posts, shards, vocabulary

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

        A stage that finished before one that it builds on belongs to an earlier run, as does all behind a gap.
        """
        found: dict[str, Manifest] = {}
        for stage, what in STAGES.items():
            manifest = read_manifest(self.folder, stage)
            if manifest and self._is_there(manifest) and all(m.finished <= manifest.finished for m in found.values()):
                found[stage] = manifest
            elif what:
                break
        return found

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
        return self._read(vocabulary.KEPT, _LABELS)

    @cached_property
    def dropped(self) -> pa.Table:
        """The other labels: label, name, posts, reason."""
        return self._read(vocabulary.DROPPED, _LABELS.append(pa.field("reason", pa.string())))

    @cached_property
    def sampling(self) -> pa.Table:
        """The labels of the vocabulary under each resampling; see `igdet.curation.statistics.sampling_table`."""
        return pq.read_table(self.folder / vocabulary.SAMPLING)

    @cached_property
    def targets(self) -> pa.Table | None:
        """The target classes: key, rule, labels, posts; None for a recipe without any."""
        is_there = vocabulary.TARGETS in self.manifests[vocabulary.FOLDER].files
        return pq.read_table(self.folder / vocabulary.TARGETS) if is_there else None

    @cached_property
    def tags_per_post(self) -> np.ndarray:
        """int64 (K,): how many posts have 0, 1, 2, ... hashtags."""
        return list_lengths(self.post_files, "tags")

    @cached_property
    def labels_per_post(self) -> np.ndarray:
        """int64 (K,): how many posts have 0, 1, 2, ... labels of the vocabulary."""
        return list_lengths(parts_of(self.folder / vocabulary.POSTS), "labels")

    @property
    def post_files(self) -> list[Path]:
        """The Parquet files of posts with their hashtags as written."""
        return parts_of(self.folder / posts.FOLDER)

    def _read(self, path: str, schema: pa.Schema) -> pa.Table:
        return pq.read_table(self.folder / path, columns=schema.names).cast(schema)
