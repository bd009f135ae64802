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
from igdet.curation.labels.canonical import Canonicaliser
from igdet.curation.labels.label_table import SCHEMA
from igdet.curation.labels.labelling import LISTS, Labeller, LexiconSettings, canonicaliser_of, make_labeller
from igdet.curation.manifest import content_hash
from igdet.curation.settings import Curation
from igdet.curation.slices import files_by_part, make_parts, parquet_files, part_folders
from igdet.curation.stages import posts
from igdet.curation.stages.stage import Result, Stage
from igdet.utils.files import atomic_write
from igdet.utils.yaml import ConfigError

FOLDER = "labels"
POSTS = "labels/posts"  # parts: id, image, labels
TAGS = "labels/tags.parquet"  # tag, label, rule, posts; the most frequent first
LABELS = "labels/labels.parquet"  # the table of labels
_READ = pa.schema([("id", pa.string()), ("image", pa.string()), ("tags", pa.list_(pa.string()))])
_WRITTEN = pa.schema([("id", pa.string()), ("image", pa.string()), ("labels", LISTS)])
_TAG_COUNTS, _REPEATS = "tag_counts.arrow", "repeats.arrow"  # of a part


def _settings(curation: Curation) -> dict:
    canonicaliser_of(curation.lexicon)  # refuses what cannot be used
    carried_parts(curation)  # likewise
    return _lexicon(curation)


def _lexicon(curation: Curation) -> dict:
    lexicon = curation.lexicon
    return {"lexicon": asdict(lexicon), "content": lexicon.path and content_hash(lexicon.path)}


def carried_parts(curation: Curation) -> list[Path]:
    """Return the labelled posts of the earlier curation, where they have been labelled by the same lexicon.

    Raises:
        ConfigError: they have not, but its vocabulary is to be carried.
    """
    if curation.append_to is None:
        return []
    settings, own = curation.append_to.needed(FOLDER).settings, _lexicon(curation)
    elsewhere = own["lexicon"] | {"path": settings["lexicon"]["path"]}  # the same content under another name
    if (settings["content"], settings["lexicon"]) == (own["content"], elsewhere):
        folder = curation.append_to.folder
        of_posts = [part for part in part_folders(folder / posts.FOLDER) if parquet_files([part])]
        kept = posts.carried_parts(curation)
        return [part for part, of in zip(part_folders(folder / POSTS), of_posts, strict=True) if of in kept]
    if curation.append_to.carries_vocabulary:
        raise ConfigError(
            f"LEXICON is not that of {curation.append_to.folder}, whose vocabulary is carried; set it as it is there, "
            "or APPEND_TO: {VOCABULARY: renewed}"
        )
    return []


def _run(curation: Curation, fingerprint: str) -> Result:
    folder = curation.folder
    wanted = files_by_part(folder / posts.FOLDER)
    make = partial(_make, curation.lexicon)
    parts = make_parts(folder / POSTS, fingerprint, wanted, make, FOLDER, carried_parts(curation))
    written = parts.files
    tag_counts, repeats = ([part / name for part in parts.folders] for name in (_TAG_COUNTS, _REPEATS))
    sums = engine.sum_counts(tag_counts, ["tag", "label"], "posts")
    tags = tag_table(sums, canonicaliser_of(curation.lexicon))
    labels = label_table(tags, engine.sum_counts(repeats, ["label"], "posts"))
    for path, table in {TAGS: tags, LABELS: labels}.items():
        with atomic_write(folder / path) as file:
            pq.write_table(table, file, compression="zstd")
    rows = engine.count_rows(written)
    counts = {
        "different hashtags": len(tags),
        "different labels": len(labels),
        "hashtags without a label": _unlabelled(tags),
    }
    written += [*tag_counts, *repeats, folder / TAGS, folder / LABELS]
    return Result(rows, rows, counts, written, steps=[parts.step])


def _make(lexicon: LexiconSettings, paths: Sequence[str], folder: Path) -> None:
    labeller = make_labeller(lexicon)
    engine.rewrite(paths, _READ, partial(_labelled, labeller), folder, _WRITTEN)
    for name, counts in zip((_TAG_COUNTS, _REPEATS), labeller.counts(), strict=True):
        engine.write_counts(folder / name, counts)


def _labelled(labeller: Labeller, posts: pa.RecordBatch) -> pa.Table:
    return pa.table([posts["id"], posts["image"], labeller(posts["tags"])], schema=_WRITTEN)


def tag_table(counts: pa.Table, canonicaliser: Canonicaliser) -> pa.Table:
    """Make the table of hashtags.

    Args:
        counts: columns tag, label (null where the hashtag alone says it) and posts.
        canonicaliser: says what a hashtag means.

    Returns:
        Columns tag, label, rule, posts; the most frequent first, equally frequent ones by their letters.
    """
    counts = counts.sort_by("label").combine_chunks()
    by_letters = pc.sort_indices(counts["tag"].combine_chunks())  # stable
    posts = counts["posts"].combine_chunks().take(by_letters).to_numpy()
    counts = counts.take(by_letters.take(pa.array(np.argsort(-posts, kind="stable")))).combine_chunks()
    tags = counts["tag"].combine_chunks()
    labels, rules = canonicaliser.meanings(tags)
    columns = {"tag": tags, "label": pc.coalesce(counts["label"], labels), "rule": rules, "posts": counts["posts"]}
    return pa.table(columns)


def label_table(tags: pa.Table, repeats: pa.Table) -> pa.Table:
    """Make the table of labels.

    Args:
        tags: columns tag, label, posts; the most frequent tags first.
        repeats: columns label and posts: by how much the posts of its hashtags, summed up, are more than the label's.

    Returns:
        `igdet.curation.labels.label_table.SCHEMA`, the most frequent labels first, equally frequent ones by their first
        hashtag. A label's name is its most frequent hashtag: a lexicon's first word for it may be one that hardly
        anybody uses ("televisionreceiver" for #tv).
    """
    tags = tags.filter(pc.not_equal(tags["label"], "")).combine_chunks()
    encoded = tags["label"].combine_chunks().dictionary_encode()
    codes, labels = encoded.indices.to_numpy(), encoded.dictionary
    posts = np.bincount(codes, tags["posts"].to_numpy(), len(labels)).astype(np.int64)
    posts[pc.index_in(repeats["label"].combine_chunks(), labels).to_numpy()] -= repeats["posts"].to_numpy()
    order = np.argsort(-posts, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    rows = np.argsort(rank[codes], kind="stable")  # within a label the most frequent hashtag stays first
    words = tags["tag"].combine_chunks().take(pa.array(rows))
    offsets = np.searchsorted(rank[codes][rows], np.arange(len(labels) + 1)).astype(np.int32)
    columns = [
        labels.take(pa.array(order)),
        words.take(pa.array(offsets[:-1])),
        pa.array(posts[order]),
        pa.ListArray.from_arrays(pa.array(offsets), words),
    ]
    return pa.table(columns, schema=SCHEMA)


def _unlabelled(tags: pa.Table) -> int:
    return pc.sum(pc.equal(tags["label"], "")).as_py() or 0


STAGE = Stage(FOLDER, "hashtags to labels, and counting", _settings, _run)
