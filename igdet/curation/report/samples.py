"""Some posts as they came, and what became of each of their hashtags."""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from igdet.curation.report.outcome import Outcome
from igdet.curation.report.reading import lookup, random_rows
from igdet.vocabulary import normalise_tag

POSTS = 20
_SEED = 0


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
