"""The third stage: a recipe selects labels, and posts keep those, by number, in an order of their own."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.curation import engine
from igdet.curation.labels.label_table import read_label_lists, read_labels, vocabulary_of
from igdet.curation.labels.numbering import FIELDS, Numberer
from igdet.curation.manifest import content_hash
from igdet.curation.pace import Step
from igdet.curation.settings import Curation
from igdet.curation.shards.labelled_posts import SCHEMA
from igdet.curation.slices import files_by_part, make_parts, remove_parts
from igdet.curation.stages import labels
from igdet.curation.stages.stage import Result, Stage
from igdet.curation.vocabularies.recipes import DEFAULT, Selection, select
from igdet.curation.vocabularies.target_classes import read_targets
from igdet.formats.vocabulary import VOCABULARY_NAME
from igdet.sampling import PHI
from igdet.utils.files import atomic_write
from igdet.utils.yaml import ConfigError

BUCKET_POSTS = 1_000_000  # about 300 MB of memory while they are sorted
_ORDER = [("order", "ascending"), ("id", "ascending"), ("image", "ascending"), ("carried", "descending")]
FOLDER = "vocabulary"
POSTS = "vocabulary/posts"  # buckets: id, image, labels
VOCABULARY = f"{FOLDER}/{VOCABULARY_NAME}"
KEPT_LABELS, DROPPED_LABELS = "vocabulary/labels.parquet", "vocabulary/dropped.parquet"
TARGETS, SAMPLING = "vocabulary/targets.parquet", "vocabulary/sampling.parquet"
_NUMBERED = "vocabulary/numbered"  # parts of posts, each parted into buckets


_ORDER += [("numbers", "ascending")]


def bucket_files(files: Sequence[Path]) -> list[list[str]]:
    """Group files that lie in folders "bucket=N" by their bucket, in the order of buckets."""
    found: dict[int, list[str]] = defaultdict(list)
    for file in files:
        found[int(file.parent.name.removeprefix("bucket="))].append(str(file))
    return [found[bucket] for bucket in sorted(found)]


def merge_bucket(paths: Sequence[str], folder: Path) -> None:
    """Merge what the parts hold of a bucket.

    The order is that of a hash of the id: the same on every machine, whatever the parts were, and as good as shuffled,
    so that neighbours in a shard have nothing in common. Of posts with one id the one with the first image stays, and
    of those the one with the most labels, or with the first as text: a rule that does not depend on the order of work
    either.

    Args:
        paths: Parquet files with the columns order (uint64), id, image and labels.
        folder: where the posts go, as one Parquet file.
    """
    from pyarrow import dataset  # only here: it imports pandas

    table = dataset.dataset(list(paths), format="parquet", partitioning=None).to_table()
    table = table.append_column("carried", pc.list_value_length(table["labels"]))
    table = table.append_column("numbers", pc.binary_join(table["labels"].cast(pa.list_(pa.string())), " "))
    table = table.sort_by(_ORDER)
    ids = table["id"].combine_chunks()
    is_new = np.ones(len(ids), dtype=bool)
    is_new[1:] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    with atomic_write(folder / "posts.parquet") as file:
        pq.write_table(table.filter(is_new).select(SCHEMA.names).cast(SCHEMA), file, compression="zstd")


def _settings(curation: Curation) -> dict:
    recipe = curation.vocabulary
    if recipe.targets and recipe.name != "vocabulary":
        read_targets(recipe.targets)
    files = [path for path in [recipe.targets, *recipe.block_lists] if path not in ("", DEFAULT)]
    settings = {"vocabulary": asdict(recipe), "sampling": asdict(curation.sampling), "resampling": [*PHI]}
    return settings | {"contents": [content_hash(path) for path in files]}


def _run(curation: Curation, fingerprint: str) -> Result:
    folder = curation.folder
    selection = select(read_labels(folder / labels.LABELS), curation.vocabulary, curation.lexicon.read())
    if not len(selection.labels):
        raise ConfigError(
            f"VOCABULARY: nothing is left of {len(selection.others):,} labels ({selection.dropped}); "
            "loosen what drops the most"
        )
    tables = _write_labels(folder, selection)
    read, numbered, posts, steps = _make_posts(curation, fingerprint)
    statistics = curation.sampling.table(selection.labels, *read_label_lists(folder / POSTS))
    tables.append(_write(folder / SAMPLING, statistics))
    rows = engine.count_rows(posts)
    counts = _uses(pq.read_table(folder / labels.TAGS), selection.labels)
    counts |= {f"labels {reason}": number for reason, (number, _) in selection.dropped.items()}
    counts |= {
        "posts without a label of the vocabulary": read - numbered,
        "posts with the id of another": numbered - rows,
    }
    return Result(read, rows, counts, [*tables, *posts], steps=steps)


def _write_labels(folder: Path, selection: Selection) -> list[Path]:
    vocabulary_of(selection.labels).write(folder / VOCABULARY)
    written = [_write(folder / KEPT_LABELS, selection.labels), _write(folder / DROPPED_LABELS, selection.others)]
    (folder / TARGETS).unlink(missing_ok=True)  # of another recipe
    targets = [_write(folder / TARGETS, target_table(selection))] if selection.matches else []
    return [folder / VOCABULARY, *written, *targets]


def _make_posts(curation: Curation, fingerprint: str) -> tuple[int, int, list[Path], list[Step]]:
    """Number the labels of all posts, bring the posts in order; return the rows of both, the files, and the pace."""
    folder = curation.folder
    wanted = files_by_part(folder / labels.POSTS)
    read = engine.count_rows([Path(file) for files in wanted for file in files])
    number = partial(_number, Numberer(folder / KEPT_LABELS), max(1, -(-read // BUCKET_POSTS)))
    numbered = make_parts(folder / _NUMBERED, fingerprint, wanted, number, "label ids")
    buckets = bucket_files(numbered.files)
    ordered = make_parts(folder / POSTS, fingerprint, buckets, merge_bucket, "order of the posts")
    rows = engine.count_rows(numbered.files)
    remove_parts(folder / _NUMBERED)
    return read, rows, ordered.files, [numbered.step, ordered.step]


def _number(numberer: Numberer, buckets: int, paths: Sequence[str], folder: Path) -> None:
    frame = engine.map_batches(engine.read("parquet", paths), numberer, ["labels"], FIELDS, keep=["id", "image"])
    engine.write_buckets(frame, "id", buckets, "labels", folder)


def target_table(selection: Selection) -> pa.Table:
    """Say what the target classes were found to be.

    Returns:
        key, rule, labels (list<string>), posts (int64: the sum over the class's labels in the vocabulary).
    """
    carried = dict(zip(*(selection.labels[name].to_pylist() for name in ("label", "posts")), strict=True))
    return pa.table(
        {
            "key": [match.key for match in selection.matches],
            "rule": [match.rule for match in selection.matches],
            "labels": pa.array([list(match.labels) for match in selection.matches], pa.list_(pa.string())),
            "posts": [sum(carried.get(label, 0) for label in match.labels) for match in selection.matches],
        }
    )


def _uses(tags: pa.Table, kept: pa.Table) -> dict[str, int]:
    """Count what the vocabulary covers: different hashtags, and their uses, once a post."""
    covered = tags.filter(pc.is_in(tags["label"], kept["label"].combine_chunks()))
    return {
        "uses of hashtags": pc.sum(tags["posts"]).as_py() or 0,
        "uses of hashtags in the vocabulary": pc.sum(covered["posts"]).as_py() or 0,
        "different hashtags in the vocabulary": len(covered),
    }


def _write(path: Path, table: pa.Table) -> Path:
    with atomic_write(path) as file:
        pq.write_table(table, file, compression="zstd")
    return path


STAGE = Stage(FOLDER, "selecting the vocabulary, numbering its labels", _settings, _run)
