"""Measures how well a stream of shards is shuffled, beside draws through the index and beside a sliding buffer.

python tools/benchmarks/sampling_shuffle.py

A million posts with two Zipfian hashtags each, in 400 shards, drawn once (natural) and about twice (square_root) in
batches of 256 by eight readers in turn, as eight loader processes of one training process do. Shards hold the posts in
random order, as curation writes them, or sorted by hashtag, the worst order there is. The sliding buffer, as
WebDataset has it, reads one shard after the other and gives a random post of the buffer for each post it takes in.
Nothing but the posts' images is left out: order and replication are those of training.
"""

import argparse
import statistics
from typing import NamedTuple

import numpy as np
from generated_hashtags import draw_hashtags
from record import report, table
from shuffle_ways import BATCH, WAYS

from igdet.data.draws.epoch import plan_epoch, use_labels

WINDOW = 8064  # the paper's batch
HEADER = ["posts in shards", "resampling", "way", "pairs of a batch from one shard", "entropy, bits"]
HEADER += [f"again within {WINDOW:,}", "displacement"]


class Quality(NamedTuple):
    """How a sequence of batches is shuffled.

    Attributes:
        same_shard: share of the pairs in a batch whose posts lie in one shard.
        entropy: of the first hashtags in a batch, in bits, on average.
        repeats: share of the draws whose post was drawn in the window before.
        displacement: mean distance between a draw's place in the epoch and its post's place in the shards, as a share.
    """

    same_shard: float
    entropy: float
    repeats: float
    displacement: float


def measure(order: np.ndarray, ids: np.ndarray, size: int) -> Quality:
    """Measure an epoch's draws: int64 (E,), posts in the order in which they are drawn."""
    batches = order[: len(order) // BATCH * BATCH].reshape(-1, BATCH)
    same = [(_counts(batch // size) * (_counts(batch // size) - 1)).sum() / (BATCH * (BATCH - 1)) for batch in batches]
    entropies = [-(share * np.log2(share)).sum() for share in (_counts(ids[batch, 0]) / BATCH for batch in batches)]
    by_post = np.lexsort((np.arange(len(order)), order))
    again = order[by_post][1:] == order[by_post][:-1]
    repeats = (np.diff(by_post)[again] <= WINDOW).sum() / len(order)
    places = np.arange(len(order)) / len(order)
    return Quality(np.mean(same), np.mean(entropies), repeats, np.abs(order / len(ids) - places).mean())


def _counts(values: np.ndarray) -> np.ndarray:
    return np.unique(values, return_counts=True)[1]


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def main() -> None:
    """Measure, print and record."""
    args = parse_args()
    size, rows = args.posts // args.shards, []
    for order in ("random", "sorted"):
        ids = draw_hashtags(args.posts, np.random.default_rng(0))
        ids = ids[np.lexsort(ids.T[::-1])] if order == "sorted" else ids
        for resampling in ("natural", "square_root"):
            plan = plan_epoch(use_labels(np.arange(0, ids.size + 1, 2), ids.ravel()), resampling, 2.0)
            for name, way in WAYS.items():
                found = [measure(way(ids, plan, size, seed), ids, size) for seed in range(args.repeats)]
                same, entropy, again, moved = map(statistics.median, zip(*found, strict=True))
                figures = [f"{same:.2%}", f"{entropy:.2f}", f"{again:.2%}", f"{moved:.3f}"]
                rows.append([order, resampling, name, *figures])
    report("sampling_shuffle", mixing=table(HEADER, rows))


if __name__ == "__main__":
    main()
