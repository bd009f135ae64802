"""The output folder of a curation of ten posts, small enough to count by hand."""

import shutil
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.curation.labels.canonical import Canonicaliser
from igdet.curation.manifest import Manifest, file_facts
from igdet.curation.pace import Step, Straggler
from igdet.curation.stage_log import StageLog
from igdet.formats.shards import SetName, ShardWriter
from igdet.formats.vocabulary import Vocabulary
from igdet.sampling import PHI

STAGES = ("posts", "labels", "vocabulary", "duplicates", "shards")
FINISHED = "2026-01-01T00:00:00+00:00"
STEP = Step("slices", 3, 3_000, 6_000_000, 2.0, 0.5, 2, [Straggler("part-00002", 1.25, "b.example")])
HOSTILE, ARABIC, EMOJI = "<script>alert(1)</script>", "قطة", "🐕"
# The hashtags of each post as written. 18 hashtags: 1 post has three, 7 have two, 1 has one, 1 has none.
POSTS = [*[["Dog", "love"]] * 4, ["dogs", "Dog", "dog"], ["hound", "love"], ["crane", HOSTILE], [ARABIC, EMOJI]]
POSTS += [["_"], None]
# Normal form, label, rule, posts: 17 uses, 7 of them of the label dog, 2 of these by other hashtags than #dog.
TAGS = [
    ("dog", "n00000002", "lemma", 5),
    ("love", "love", "outside", 5),
    ("", "", "empty", 1),
    (HOSTILE, HOSTILE, "outside", 1),
    ("crane", "n00000005", "first_sense", 1),
    ("dogs", "n00000002", "plural", 1),
    ("hound", "n00000002", "lemma", 1),
    (ARABIC, ARABIC, "outside", 1),
    (EMOJI, EMOJI, "outside", 1),
]
DOG, CRANE = ("n00000002", "dog", 6), ("n00000005", "crane", 1)  # label, name, posts
LOVE, *RARE = ("love", "love", 5), (HOSTILE, HOSTILE, 1), (ARABIC, ARABIC, 1), (EMOJI, EMOJI, 1)
DROPPED = [(*RARE[0], "rare"), (*LOVE, "blocked"), (*RARE[1], "rare"), (*RARE[2], "rare")]
TARGETS = [  # key, rule, labels, posts
    ("n00000005", "synset", ["n00000005"], 1),
    ("n00000004", "synset", ["n00000004"], 0),
    ("walrus", "unmatched", [], 0),
    ("n00000002", "synset", ["n00000002"], 6),
]
# Of fourteen images: the most frequent label, the rarest one.
SAMPLING = {f"{kind}_{name}": [1.0, 1.0] for name in PHI for kind in ("factor", "images")} | {
    "factor_natural": [1.0, 1.0],
    "images_natural": [12.0, 2.0],
    "factor_square_root": [1.657, 4.058],
    "images_square_root": [9.942, 4.058],
    "factor_uniform": [1.167, 7.0],
    "images_uniform": [7.0, 7.0],
}
_LABEL, _LISTS = ["label", "name", "posts"], pa.list_(pa.string())
_SETTINGS = {"vocabulary": {"vocabulary": {"name": "animals"}}}
# Rows in, rows out, counts.
_ROWS = {
    "posts": (10, 10, {"posts without hashtags": 1, "files that cannot be read": 0}),
    "labels": (10, 10, {"different hashtags": 9}),
    "vocabulary": (10, 7, {"posts without a label of the vocabulary": 3, "labels blocked": 1}),
    "duplicates": (7, 7, {}),
    "shards": (7, 4, {"broken": 3}),
}

_BEFORE = {"posts": "", "labels": "posts", "vocabulary": "labels", "duplicates": "vocabulary", "shards": "vocabulary"}


def table(rows, names):
    """Make a table of tuples."""
    return pa.table([list(column) for column in zip(*rows, strict=True)], names)


def write(path, written, **options):
    """Write a Parquet file, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(written, path, **options)
    return path


def write_shards(folder):
    """Write the four posts whose images are not broken, in place of earlier ones."""
    shutil.rmtree(folder, ignore_errors=True)
    with ShardWriter(folder, Vocabulary([("dog", "dogs", "hound"), ("crane",)]), name=SetName("val", "zoo")) as writer:
        for number in range(4):
            writer.add(f"p{number}", b"image", ["dog"])


def _posts():
    ids, images = [f"p{i}" for i in range(10)], [f"{i}.jpg" for i in range(10)]
    return pa.table({"id": ids, "image": images, "tags": pa.array(POSTS, _LISTS)})


def _tables():
    """Stage -> path -> table."""
    numbered = pa.table({"labels": pa.array([[0]] * 6 + [[1]], pa.list_(pa.int32()))})
    return {
        "posts": {"posts/part-00000/0/a.parquet": _posts()[:7], "posts/part-00001/0/a.parquet": _posts()[7:]},
        "labels": {
            "labels/tags.parquet": table(TAGS, ["tag", "label", "rule", "posts"]),
            "labels/labels.parquet": table([DOG, LOVE, RARE[0], CRANE, *RARE[1:]], _LABEL),
        },
        "vocabulary": {
            "vocabulary/labels.parquet": table([DOG, CRANE], _LABEL),
            "vocabulary/dropped.parquet": table(DROPPED, [*_LABEL, "reason"]),
            "vocabulary/targets.parquet": table(TARGETS, ["key", "rule", "labels", "posts"]),
            "vocabulary/sampling.parquet": pa.table(SAMPLING),
            "vocabulary/posts/increment-00000/part-00000/bucket-00000.parquet": numbered,
        },
    }


def _facts(stage):
    """Return what a stage's manifest says."""
    facts = dict(zip(("rows_in", "rows_out", "counts"), _ROWS[stage], strict=True))
    facts |= {"settings": _SETTINGS.get(stage, {}), "versions": {"igdet": "1"}}
    return facts | {"fingerprint": stage, "before": _BEFORE[stage]}


@pytest.fixture
def canonicaliser(animals):
    """From hashtags to labels."""
    return Canonicaliser(animals)


@pytest.fixture
def finish(tmp_path, canonicaliser):
    """Finishes stages, with other tables at some paths (None: no file) and other facts in the manifests."""
    from igdet.curation.report.outcome import Outcome

    def finish(*stages, tables=MappingProxyType({}), seconds=30.5, **manifest):
        for stage in stages:
            chosen = {path: tables.get(path, own) for path, own in _tables().get(stage, {}).items()}
            files = [write(tmp_path / path, one) for path, one in chosen.items() if one is not None]
            facts = _facts(stage) | manifest
            if stage == "shards":
                write_shards(tmp_path / stage)
            Manifest(stage, files=file_facts(tmp_path, files), **facts).write(tmp_path)
            StageLog(stage, facts["fingerprint"], FINISHED, seconds, [STEP]).write(tmp_path)
        return Outcome(tmp_path, canonicaliser)

    return finish


@pytest.fixture
def outcome(finish):
    """All that can be finished."""
    return finish(*STAGES)


def cells(rows):
    """Return the texts of a table's rows."""
    return [[entry.text for entry in row] for row in rows]
