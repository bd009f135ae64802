"""Resampling by hashtag frequency written out (arXiv 1805.00932, section 2.1): slow and plain, an oracle and a guide.

What the paper says. A post I carries hashtags h. Frequent hashtags crowd out rare ones, so a post is repeated:

    f(h) = share of the posts that carry h
    r(h) = max(1, phi(t / f(h)))    phi(x) = x: all hashtags equally often; phi(x) = sqrt(x): halfway there
    r(I) = max of r(h) over the hashtags of I

t is the one number that makes an epoch as long as it should be: the sum of r(I) over the posts is the budget.
`igdet.sampling` and `igdet.data.draws.epoch` compute this for billions of posts.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence

Post = Sequence[Hashable]  # the labels of a post, at least one
PHI: dict[str, Callable[[float], float]] = {"square_root": math.sqrt, "uniform": lambda x: x}
BLOCK = 512  # posts that are rounded together


def label_factors(posts: Sequence[Post], resampling: str, budget: float) -> dict[Hashable, float]:
    """Return r(h) of every hashtag such that the sum of r(I) is the budget, at least the number of posts."""
    counts = Counter(label for post in posts for label in post)
    if resampling == "natural" or not posts:
        return dict.fromkeys(counts, 1.0)

    def factors(t: float) -> dict[Hashable, float]:
        return {label: max(1.0, PHI[resampling](t * len(posts) / count)) for label, count in counts.items()}

    def total(t: float) -> float:
        of_label = factors(t)
        return sum(max(of_label[label] for label in post) for post in posts)

    # The total never falls with t. Nothing is repeated at t = 1 / N, as no hashtag has fewer than one post.
    low = high = 1 / len(posts)
    while total(high) < budget:
        high *= 2
    for _ in range(100):  # halvings: far beyond the last bit of a double
        middle = (low + high) / 2
        low, high = (middle, high) if total(middle) < budget else (low, middle)
    return factors(high)


def post_factors(posts: Sequence[Post], resampling: str, budget: float) -> list[float]:
    """Return r(I) of every post."""
    of_label = label_factors(posts, resampling, budget)
    return [max(of_label[label] for label in post) for post in posts]


def epoch_list(factors: Sequence[int], unit: int, offset: int, rotations: Sequence[int]) -> list[int]:
    """Write down an epoch's list: which post fills each slot, in slots that are not shuffled yet.

    A post cannot be repeated 2.3 times. The factors are added up, post by post, from a random start below 1, and a post
    gets a slot each time that the sum reaches the next whole number: so it has 2 or 3, and 3 in 30% of the epochs.

    Args:
        factors: r(I) in whole units, so that sums are exact.
        unit: what is 1.
        offset: where the sum starts, in [0, unit).
        rotations: for each block of posts a whole number: at which of its posts, modulo their number, it begins.
    """
    total, slots = offset, []
    for block, first in enumerate(range(0, len(factors), BLOCK)):
        members = list(range(first, min(first + BLOCK, len(factors))))
        start = rotations[block] % len(members)
        for post in members[start:] + members[:start]:
            total += factors[post]
            slots += [post] * (total // unit - len(slots))
    return slots
