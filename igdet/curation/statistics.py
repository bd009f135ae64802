"""What each resampling makes of the hashtag distribution: thresholds, factors, images per label."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from igdet.sampling import PHI, chunks, record_factors, replicate


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
