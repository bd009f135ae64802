"""The third stage: a recipe selects labels, and posts keep those, by number."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.curation import engine
from igdet.curation.block_lists import DEFAULT
from igdet.curation.buckets import BUCKET_POSTS, bucket_files, merge_bucket
from igdet.curation.label_table import read_label_lists, read_labels, vocabulary_of
from igdet.curation.manifest import content_hash
from igdet.curation.numbering import FIELDS, Numberer
from igdet.curation.recipes import Selection, select
from igdet.curation.settings import Curation
from igdet.curation.slices import files_by_part, make_parts, remove_parts
from igdet.curation.stages import labels
from igdet.curation.stages.stage import Result, Stage
from igdet.curation.statistics import sampling_plans, sampling_table
from igdet.curation.targets import read_targets
from igdet.utils.files import atomic_write
from igdet.utils.strict_yaml import ConfigError
from igdet.vocabulary import VOCABULARY_NAME

FOLDER = "vocabulary"
POSTS = "vocabulary/posts"  # buckets: id, image, labels
VOCABULARY = f"{FOLDER}/{VOCABULARY_NAME}"
KEPT, DROPPED = "vocabulary/labels.parquet", "vocabulary/dropped.parquet"
TARGETS, SAMPLING = "vocabulary/targets.parquet", "vocabulary/sampling.parquet"
_NUMBERED = "vocabulary/numbered"  # parts of posts, each parted into buckets


def _settings(curation: Curation) -> dict:
    recipe = curation.vocabulary
    if recipe.targets and recipe.name != "vocabulary":
        read_targets(recipe.targets)
    files = [path for path in [recipe.targets, *recipe.block_lists] if path not in ("", DEFAULT)]
    settings = {"vocabulary": asdict(recipe), "sampling": asdict(curation.sampling)}
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
    read, numbered, posts = _make_posts(curation, fingerprint)
    tables.append(_write(folder / SAMPLING, _sampling(curation, selection.labels)))
    rows = engine.count_rows(posts)
    counts = _uses(pq.read_table(folder / labels.TAGS), selection.labels)
    counts |= {f"labels {reason}": number for reason, (number, _) in selection.dropped.items()}
    counts |= {
        "posts without a label of the vocabulary": read - numbered,
        "posts with the id of another": numbered - rows,
    }
    return Result(read, rows, counts, [*tables, *posts])


def _write_labels(folder: Path, selection: Selection) -> list[Path]:
    vocabulary_of(selection.labels).write(folder / VOCABULARY)
    written = [_write(folder / KEPT, selection.labels), _write(folder / DROPPED, selection.others)]
    (folder / TARGETS).unlink(missing_ok=True)  # of another recipe
    targets = [_write(folder / TARGETS, target_table(selection))] if selection.matches else []
    return [folder / VOCABULARY, *written, *targets]


def _make_posts(curation: Curation, fingerprint: str) -> tuple[int, int, list[Path]]:
    """Number the labels of all posts, bring the posts in order; give the rows of both, and the files."""
    folder = curation.folder
    wanted = files_by_part(folder / labels.POSTS)
    read = engine.count_rows([Path(file) for files in wanted for file in files])
    number = partial(_number, Numberer(folder / KEPT), max(1, -(-read // BUCKET_POSTS)))
    numbered = make_parts(folder / _NUMBERED, fingerprint, wanted, number, FOLDER)
    posts = make_parts(folder / POSTS, fingerprint, bucket_files(numbered), merge_bucket, f"{FOLDER}, in order")
    rows = engine.count_rows(numbered)
    remove_parts(folder / _NUMBERED)
    return read, rows, posts


def _number(numberer: Numberer, buckets: int, paths: Sequence[str], folder: Path) -> None:
    frame = engine.map_batches(engine.read("parquet", paths), numberer, ["labels"], FIELDS, keep=["id", "image"])
    engine.write(engine.in_buckets(engine.not_empty(frame, "labels"), "id", buckets), folder, by="bucket")


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


def _sampling(curation: Curation, kept: pa.Table) -> pa.Table:
    offsets, ids = read_label_lists(curation.folder / POSTS)
    posts = len(offsets) - 1
    budget = curation.sampling.epoch_images or 2 * posts
    if budget < posts:
        raise ConfigError(
            f"SAMPLING.EPOCH_IMAGES: {budget:,} images cannot show each of {posts:,} posts once; raise it, or take 0"
        )
    return sampling_table(kept, sampling_plans(offsets, ids, len(kept), budget), posts)


def _write(path: Path, table: pa.Table) -> Path:
    with atomic_write(path) as file:
        pq.write_table(table, file, compression="zstd")
    return path


STAGE = Stage(FOLDER, "selecting the vocabulary, numbering its labels", _settings, _run)
