"""What resampling makes of a vocabulary: how often the posts of each label are repeated, and seen in an epoch."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from igdet.sampling import PHI, chunks, record_factors, replicate
from igdet.utils.yaml import ConfigError


@dataclass(frozen=True)
class SamplingSettings:
    """What the statistics of resampling are computed for.

    Attributes:
        epoch_images: length of an epoch's list; 0 for twice the number of labelled posts.
    """

    epoch_images: int = 0

    def __post_init__(self) -> None:
        if self.epoch_images < 0:
            raise ConfigError(f"SAMPLING.EPOCH_IMAGES must be >= 0, not {self.epoch_images}")

    def table(self, labels: pa.Table, offsets: np.ndarray, ids: np.ndarray) -> pa.Table:
        """Compute the statistics of posts, as `sampling_table` lays them out.

        Args:
            labels: columns label, name and posts, L rows.
            offsets, ids: the posts' labels, as `sampling_plans` takes them.

        Raises:
            ConfigError: an epoch is too short to show each post once.
        """
        posts = len(offsets) - 1
        budget = self.epoch_images or 2 * posts
        if budget < posts:
            raise ConfigError(
                f"SAMPLING.EPOCH_IMAGES: {budget:,} images cannot show each of {posts:,} posts once; raise it, or "
                "take 0"
            )
        return sampling_table(labels, sampling_plans(offsets, ids, len(labels), budget), posts)


@dataclass(frozen=True)
class SamplingPlan:
    """One resampling at one image budget.

    Attributes:
        resampling: a key of `igdet.sampling.PHI`.
        threshold: t, or None for natural resampling.
        epoch: the sum of r(I): the length of one epoch's list.
        factors: float64 (L,): r(h).
        images: float64 (L,): of `budget` images drawn, how many carry each label on average.
    """

    resampling: str
    threshold: float | None
    epoch: float
    factors: np.ndarray
    images: np.ndarray


def sampling_plans(offsets: np.ndarray, ids: np.ndarray, num_labels: int, budget: float) -> list[SamplingPlan]:
    """Work out every resampling for one image budget.

    Args:
        offsets: int64 (N + 1,): where each post's labels begin in `ids`; posts without labels count nowhere.
        ids: int (M,): label ids, distinct within a post.
        num_labels: L.
        budget: images drawn in an epoch, >= the number of posts with labels.

    Returns:
        One plan a resampling, natural first.

    Raises:
        ValueError: the budget is below the number of posts.
    """
    return [_plan(offsets, ids, num_labels, resampling, budget) for resampling in PHI]


def _plan(offsets: np.ndarray, ids: np.ndarray, num_labels: int, resampling: str, budget: float) -> SamplingPlan:
    replication = replicate(offsets, ids, resampling, budget, num_labels)
    epoch, images = 0.0, np.zeros(num_labels)
    of_records = record_factors(offsets, ids, replication.factors)
    for (chunk_offsets, chunk_ids), factors in zip(chunks(offsets, ids), of_records, strict=True):
        epoch += factors.sum()
        images += np.bincount(chunk_ids, np.repeat(factors, np.diff(chunk_offsets)), num_labels)
    # A natural epoch is shorter than the budget: the images of all plans are those of equally many draws.
    return SamplingPlan(
        resampling, replication.threshold, epoch, replication.factors, images * (budget / max(epoch, 1.0))
    )


def sampling_table(labels: pa.Table, plans: list[SamplingPlan], num_posts: int) -> pa.Table:
    """Put the plans beside the labels.

    Args:
        labels: columns label, name and posts, L rows.
        plans: what `sampling_plans` gave for these labels.
        num_posts: posts with labels.

    Returns:
        Columns label, name, posts, frequency (f(h)), and for each resampling factor_... (r(h)) and images_...
    """
    table = labels.select(["label", "name", "posts"])
    table = table.append_column("frequency", pa.array(labels["posts"].to_numpy() / max(num_posts, 1)))
    for plan in plans:
        table = table.append_column(f"factor_{plan.resampling}", pa.array(plan.factors))
        table = table.append_column(f"images_{plan.resampling}", pa.array(plan.images))
    return table
