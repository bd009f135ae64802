"""The second stage: hashtags become labels, and both are counted."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.curation import engine
from igdet.curation.label_table import SCHEMA
from igdet.curation.labelling import FIELDS, Labeller, canonicaliser_of
from igdet.curation.manifest import content_hash
from igdet.curation.settings import Curation
from igdet.curation.slices import files_by_part, make_parts
from igdet.curation.stages import posts
from igdet.curation.stages.stage import Result, Stage
from igdet.utils.files import atomic_write

FOLDER = "labels"
POSTS = "labels/posts"  # parts: id, image, labels
TAGS = "labels/tags.parquet"  # tag, label, rule, posts; the most frequent first
LABELS = "labels/labels.parquet"  # the table of labels


def _settings(curation: Curation) -> dict:
    lexicon = curation.lexicon
    canonicaliser_of(lexicon)  # refuses what cannot be used
    return {"lexicon": asdict(lexicon), "content": lexicon.path and content_hash(lexicon.path)}


def _run(curation: Curation, fingerprint: str) -> Result:
    folder = curation.folder
    wanted = files_by_part(folder / posts.FOLDER)
    written = make_parts(folder / POSTS, fingerprint, wanted, partial(_make, Labeller(curation.lexicon)), FOLDER)
    tags = _sorted(engine.sum_up(written, "tag_counts", ["tag", "label", "rule"], "posts"), "tag", "label")
    labels = label_table(tags, engine.sum_up(written, "label_counts", ["label"], "posts"))
    for path, table in {TAGS: tags, LABELS: labels}.items():
        with atomic_write(folder / path) as file:
            pq.write_table(table, file, compression="zstd")
    rows = engine.count_rows(written)
    counts = {
        "different hashtags": len(tags),
        "different labels": len(labels),
        "hashtags without a label": _unlabelled(tags),
    }
    return Result(rows, rows, counts, [*written, folder / TAGS, folder / LABELS])


def _make(labeller: Labeller, paths: Sequence[str], folder: Path) -> None:
    frame = engine.read("parquet", paths)
    engine.write(engine.map_batches(frame, labeller, ["tags"], FIELDS, keep=["id", "image"]), folder)


def label_table(tags: pa.Table, labels: pa.Table) -> pa.Table:
    """Make the table of labels.

    Args:
        tags: columns tag, label, posts; the most frequent tags first.
        labels: columns label and posts.

    Returns:
        `igdet.curation.label_table.SCHEMA`, the most frequent labels first. A label's name is its most frequent
        hashtag: a lexicon's first word for it may be one that hardly anybody uses ("televisionreceiver" for #tv).
    """
    labels = _sorted(labels, "label")
    row = pc.index_in(tags["label"].combine_chunks(), labels["label"].combine_chunks())
    order = pc.sort_indices(row)  # stable: within a label the most frequent hashtag stays first; nulls go last
    of_label = row.take(order).drop_null().to_numpy()
    words = tags["tag"].combine_chunks().take(order).slice(0, len(of_label))
    offsets = np.searchsorted(of_label, np.arange(len(labels) + 1)).astype(np.int32)
    columns = [
        labels["label"],
        words.take(pa.array(offsets[:-1])),
        labels["posts"],
        pa.ListArray.from_arrays(pa.array(offsets), words),
    ]
    return pa.table(columns, schema=SCHEMA)


def _sorted(counts: pa.Table, *keys: str) -> pa.Table:
    return counts.sort_by([("posts", "descending"), *((key, "ascending") for key in keys)])


def _unlabelled(tags: pa.Table) -> int:
    return pc.sum(pc.equal(tags["label"], "")).as_py() or 0


STAGE = Stage(FOLDER, "hashtags to labels, and counting", _settings, _run)
