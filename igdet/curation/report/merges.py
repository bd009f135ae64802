"""Hashtags merged into one label, and some posts as they came with what became of each of their hashtags."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation.report.entries import Section, chips, label_entry, number
from igdet.curation.report.outcome import Outcome, lookup, random_rows
from igdet.formats.vocabulary import normalise_tag
from igdet.reporting.tables import Table

SHOWN = 30
_SEED = 0
POSTS = 20


def merges_section(outcome: Outcome) -> Section:
    """The labels that most occurrences of other hashtags were merged into, and others at random."""
    tags, rows = _labelled(outcome)
    names = outcome.labels["name"].take(pa.array(rows))
    is_other = pc.not_equal(tags["tag"], names).to_numpy()
    moved = np.bincount(rows[is_other], tags["posts"].to_numpy()[is_other], len(outcome.labels)).astype(np.int64)
    merged = np.flatnonzero(np.bincount(rows, minlength=len(outcome.labels)) > 1)
    by_size = merged[np.argsort(-moved[merged], kind="stable")]
    others = np.random.default_rng(_SEED).permutation(by_size[SHOWN:])[:SHOWN]
    note = (
        f"{len(merged):,} labels have several hashtags, and {moved.sum():,} occurrences go by a name other than the "
        "hashtag itself. Each hashtag is shown with its posts."
    )
    shown = {"The largest merges": by_size[:SHOWN], "Merges at random": others}
    tables = [_table(title, chosen, moved, outcome, tags, rows) for title, chosen in shown.items() if len(chosen)]
    return Section("Hashtags merged", tables, note=note)


def _labelled(outcome: Outcome) -> tuple[pa.Table, np.ndarray]:
    """The hashtags that have a label, the most frequent first, and the rows of their labels, int64."""
    tags = outcome.tags.filter(pc.not_equal(outcome.tags["label"], ""))
    rows = pc.index_in(tags["label"], outcome.labels["label"])
    return tags, rows.to_numpy().astype(np.int64)


def _table(
    title: str, chosen: np.ndarray, moved: np.ndarray, outcome: Outcome, tags: pa.Table, rows: np.ndarray
) -> Table:
    of_chosen = np.flatnonzero(np.isin(rows, chosen))
    counted: dict[int, list[tuple[str, str]]] = {row: [] for row in chosen.tolist()}
    for row, tag in zip(rows[of_chosen].tolist(), tags.take(pa.array(of_chosen)).to_pylist(), strict=True):
        counted[row].append((tag["tag"], f"{tag['posts']:,}"))
    labels = outcome.labels.take(pa.array(chosen)).to_pylist()
    lines = [
        [label_entry(label["label"], label["name"]), number(moved[row]), chips(counted[row])]
        for row, label in zip(chosen.tolist(), labels, strict=True)
    ]
    return Table(title, ["Label", "merged", "Hashtags"], lines)


class Chip(NamedTuple):
    """A hashtag.

    Attributes:
        tag: as written.
        fate: "kept", "left" (its label is not in the vocabulary) or "gone" (it has no label).
        note: the name of its label where that is another, or why its label was left out.
    """

    tag: str
    fate: str
    note: str


class Sample(NamedTuple):
    """A post."""

    id: str
    image: str
    chips: list[Chip]


def samples(outcome: Outcome) -> list[Sample]:
    """Draw posts at random, the same ones every time."""
    posts = random_rows(outcome.post_files, ["id", "image", "tags"], POSTS, _SEED)
    labels = [outcome.canonicaliser.resolve(post["tags"] or ()) for post in posts]
    distinct = pa.array(sorted({label for of_post in labels for label in of_post}), pa.string())
    names = lookup(outcome.kept, distinct, "label", "name")
    reasons = lookup(outcome.dropped, distinct, "label", "reason")
    return [
        Sample(post["id"], post["image"], _chips(post["tags"] or (), of_post, names, reasons))
        for post, of_post in zip(posts, labels, strict=True)
    ]


def _chips(tags: Sequence[str], labels: Sequence[str], names: dict[str, str], reasons: dict[str, str]) -> list[Chip]:
    return [_chip(tag, label, names.get(label), reasons.get(label)) for tag, label in zip(tags, labels, strict=True)]


def _chip(tag: str, label: str, name: str | None, reason: str | None) -> Chip:
    if name is not None:
        return Chip(tag, "kept", name if name != normalise_tag(tag) else "")
    return Chip(tag, "left", reason) if reason else Chip(tag, "gone", "no label")
