"""What near-duplicates cost: the training images to leave out, and a lower bound of the accuracy without them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from igdet.curation.duplicates.image_sets import DuplicatesError
from igdet.curation.duplicates.perceptual import BITS, MAX_DISTANCE
from igdet.utils.command_lines import command_line
from igdet.utils.messages import shown
from igdet.utils.yaml import ConfigError


@dataclass(frozen=True)
class DuplicateSettings:
    """Which near-duplicates are left out of the shards.

    Attributes:
        evaluation: evaluation images that training must not have seen: shards, a table or a folder of images;
            "" looks within the posts themselves.
        max_distance: bits of 256 that the PDQ hashes of a pair may differ in.
        judged: verdicts saved by the pages of tools/find_duplicates.py; without any, every pair is a duplicate.
    """

    evaluation: str = ""
    max_distance: int = MAX_DISTANCE
    judged: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not 0 <= self.max_distance <= BITS:
            raise ConfigError(f"DUPLICATES.MAX_DISTANCE must be 0 to {BITS} bits, not {self.max_distance}")


def excluded_against(pairs: pa.Table) -> list[str]:
    """Return the training images that resemble an evaluation image: all of them go.

    Args:
        pairs: with the columns query, of evaluation images, and match, of training images.

    Returns:
        ids, sorted.
    """
    return sorted(set(pairs["match"].to_pylist()))


def excluded_within(pairs: pa.Table, ranks: Mapping[str, int] | None = None) -> list[str]:
    """Return the training images that are superfluous: all but one of each group.

    Images that are linked by pairs, directly or through others, form a group. Of those of the lowest rank the one whose
    id sorts first stays, so that the choice depends on nothing else.

    Args:
        pairs: with the columns query and match, both of training images.
        ranks: of images, 0 where there is none.

    Returns:
        ids, sorted.
    """
    first: dict[str, str] = {}
    for query, match in zip(pairs["query"].to_pylist(), pairs["match"].to_pylist(), strict=True):
        ends = _first_of_group(first, query), _first_of_group(first, match)
        lower, higher = sorted(ends, key=lambda name: (ranks.get(name, 0) if ranks else 0, name))
        first[higher] = lower
    return sorted(name for name in first if _first_of_group(first, name) != name)


def _first_of_group(first: dict[str, str], name: str) -> str:
    """Follow the links to the group's first image, and shorten them on the way (union-find with path halving)."""
    first.setdefault(name, name)
    while first[name] != name:
        first[name] = first[first[name]]
        name = first[name]
    return name


@dataclass(frozen=True)
class Bound:
    """Accuracy with and without near-duplicates.

    Attributes:
        images: number of evaluation images.
        duplicated: how many of them have a near-duplicate in the training set.
        uncompared: how many of the others could not be compared with the training set.
        right: how many are classified rightly.
        right_doubtful: how many of the duplicated and the uncompared ones are.
    """

    images: int
    duplicated: int
    uncompared: int
    right: int
    right_doubtful: int

    @property
    def accuracy(self) -> float:
        """Top-1 accuracy as measured, 0..1."""
        return self.right / self.images

    @property
    def lower(self) -> float:
        """The lower bound, 0..1."""
        return (self.right - self.right_doubtful) / self.images


def bound(
    predictions: pa.Table,
    duplicated: Collection[str],
    searched: Collection[str],
    source: str,
    skipped: Collection[str] = (),
) -> Bound:
    """Count.

    Args:
        predictions: what an evaluation writes: a row an image, with its image_id, gt_classes and top_classes.
        duplicated: ids of the images that have a near-duplicate.
        searched: ids of all images that were searched for.
        source: what these are, for the message.
        skipped: ids of images, of either set, that the search could compare with nothing.

    Raises:
        DuplicatesError: there is no image, one was not searched for, or a duplicated one is not among them.
    """
    rows = predictions.select(["image_id", "gt_classes", "top_classes"]).to_pylist()
    right = {row["image_id"]: row["top_classes"][0] in row["gt_classes"] for row in rows}
    _require_searched(right, set(searched), source)
    unknown = sorted(set(duplicated) - right.keys())
    if unknown or not right:
        raise DuplicatesError(
            f"{len(unknown)} duplicated images are not among the {len(right)} predictions, such as {unknown[:3]}; "
            "give the predictions of the evaluation set that was searched for, and images the same ids"
        )
    found = set(duplicated)
    uncompared = right.keys() & set(skipped) - found
    doubtful = sum(right[name] for name in found | uncompared)
    return Bound(len(right), len(found), len(uncompared), sum(right.values()), doubtful)


def _require_searched(predicted: Collection[str], searched: set[str], source: str) -> None:
    """Refuse images that were compared with nothing: a search without pairs would vouch for any."""
    others = [name for name in predicted if name not in searched]
    if others:
        raise DuplicatesError(
            f"{len(others):,} of the {len(predicted):,} predicted images, the first is {shown(others[0])}, are none "
            f"of the {len(searched):,} in {source} that were searched for; give the predictions of an evaluation on "
            "these, with the same ids, or search for its images: "
            f"{command_line('find_duplicates')} find"
        )
