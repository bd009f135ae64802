"""The third stage: a recipe selects labels, and posts keep those, by number, in an order of their own."""

from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.curation.appending import AppendSettings
from igdet.curation.labels.label_table import read_label_lists, read_labels, vocabulary_of
from igdet.curation.manifest import content_hash
from igdet.curation.settings import Curation
from igdet.curation.slices import parquet_files
from igdet.curation.stages import labels, numbered_posts
from igdet.curation.stages.stage import Result, Stage
from igdet.curation.vocabularies.recipes import DEFAULT, Selection, carry_over, select
from igdet.curation.vocabularies.target_classes import TargetMatch, read_targets
from igdet.formats.vocabulary import VOCABULARY_NAME
from igdet.sampling import PHI
from igdet.utils.files import atomic_write
from igdet.utils.yaml import ConfigError

FOLDER = "vocabulary"
VOCABULARY = f"{FOLDER}/{VOCABULARY_NAME}"
KEPT_LABELS, DROPPED_LABELS = "vocabulary/labels.parquet", "vocabulary/dropped.parquet"
_FILES = ("targets", "block_lists")  # keys of a recipe that name files, which go by their contents
TARGETS, SAMPLING = "vocabulary/targets.parquet", "vocabulary/sampling.parquet"


def _settings(curation: Curation) -> dict:
    recipe = curation.vocabulary
    if recipe.targets and recipe.name != "vocabulary":
        read_targets(recipe.targets)
    files = [path for path in [recipe.targets, *recipe.block_lists] if path not in ("", DEFAULT)]
    settings = {"vocabulary": asdict(recipe), "sampling": asdict(curation.sampling), "resampling": [*PHI]}
    settings |= {"contents": [content_hash(path) for path in files]}
    if curation.carried_from:
        _refuse_another(settings, curation.carried_from)
    return settings


def _refuse_another(settings: dict, earlier: AppendSettings) -> None:
    recipes = [
        (of["contents"], {key: value for key, value in of["vocabulary"].items() if key not in _FILES})
        for of in (settings, earlier.needed(FOLDER).settings)
    ]
    if recipes[0] != recipes[1]:
        raise ConfigError(
            f"VOCABULARY is not that of {earlier.folder}, which is carried; set it as it is there, or "
            "APPEND_TO: {VOCABULARY: renewed}"
        )


def _run(curation: Curation, fingerprint: str) -> Result:
    folder = curation.folder
    selection = _select(curation)
    if not len(selection.labels):
        raise ConfigError(
            f"VOCABULARY: nothing is left of {len(selection.others):,} labels ({selection.dropped}); "
            "loosen what drops the most"
        )
    tables = _write_labels(folder, selection)
    flow, steps = numbered_posts.make(curation, folder / KEPT_LABELS, fingerprint)
    statistics = curation.sampling.table(selection.labels, *read_label_lists(folder / numbered_posts.FOLDER))
    tables.append(_write(folder / SAMPLING, statistics))
    counts = _uses(pq.read_table(folder / labels.TAGS), selection.labels)
    counts |= {f"labels {reason}": number for reason, (number, _) in selection.dropped.items()}
    written = [*tables, *parquet_files(numbered_posts.increments(folder))]
    return Result(flow.read, flow.kept, counts | flow.lost(), written, steps=steps)


def _select(curation: Curation) -> Selection:
    found = read_labels(curation.folder / labels.LABELS)
    if curation.carried_from is None:
        return select(found, curation.vocabulary, curation.lexicon.read())
    earlier = curation.carried_from.folder
    targets = pq.read_table(earlier / TARGETS).to_pylist() if (earlier / TARGETS).is_file() else []
    matches = (TargetMatch(row["key"], tuple(row["labels"]), frozenset(), row["rule"]) for row in targets)
    return carry_over(found, read_labels(earlier / KEPT_LABELS), tuple(matches))


def _write_labels(folder: Path, selection: Selection) -> list[Path]:
    vocabulary_of(selection.labels).write(folder / VOCABULARY)
    written = [_write(folder / KEPT_LABELS, selection.labels), _write(folder / DROPPED_LABELS, selection.others)]
    (folder / TARGETS).unlink(missing_ok=True)  # of another recipe
    targets = [_write(folder / TARGETS, target_table(selection))] if selection.matches else []
    return [folder / VOCABULARY, *written, *targets]


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
