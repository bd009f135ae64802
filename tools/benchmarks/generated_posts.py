"""Generated posts for timings: 1 to 8 hashtags each, Zipf's law over many ways to write the words of WordNet."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.curation.lexicon import Lexicon

WORDS = 60_000
POSTS_PER_FILE = 500_000
FULL_WIDTH = 0xFEE0  # from ASCII to the full-width letters
SCHEMA = pa.schema([("id", pa.string()), ("image", pa.string()), ("tags", pa.list_(pa.string()))])
# Ways in which people write a word.
WAYS = (
    str.lower,
    str.title,
    str.upper,
    lambda word: "#" + word,
    lambda word: word + "s",
    lambda word: "_".join(word),
    lambda word: "".join(chr(ord(letter) + FULL_WIDTH) if "!" <= letter <= "~" else letter for letter in word),
    lambda word: word.replace("e", "é"),
    lambda word: word + "\u200b",
)


def write_posts(folder: Path, posts: int, distinct: int, seed: int = 0) -> None:
    """Write Parquet files of posts.

    Args:
        folder: where to.
        posts: how many.
        distinct: different hashtags, as written.
        seed: the same seed gives the same posts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    hashtags = _hashtags(distinct, random)
    shares = np.cumsum(1 / np.arange(1, distinct + 1))
    for number, start in enumerate(range(0, posts, POSTS_PER_FILE)):
        count = min(POSTS_PER_FILE, posts - start)
        offsets = np.concatenate([[0], np.cumsum(random.integers(1, 9, count))]).astype(np.int32)
        drawn = np.searchsorted(shares, random.random(offsets[-1]) * shares[-1])
        tags = pa.ListArray.from_arrays(pa.array(offsets), hashtags.take(pa.array(drawn)))
        ids = pc.cast(pa.array(np.arange(start, start + count)), pa.string())
        images = pc.binary_join_element_wise("images/", ids, ".jpg", "")
        pq.write_table(pa.table([ids, images, tags], schema=SCHEMA), folder / f"posts-{number:05d}.parquet")


def _hashtags(distinct: int, random: np.random.Generator) -> pa.Array:
    words = _shuffled(pa.array(Lexicon.wordnet().words), random)[:WORDS].to_pylist()
    written: dict[str, None] = {}
    for hashtag in _written(words):
        written[hashtag] = None
        if len(written) == distinct:
            break
    return _shuffled(pa.array(written), random)


def _shuffled(values: pa.Array, random: np.random.Generator) -> pa.Array:
    return values.take(pa.array(random.permutation(len(values))))


def _written(words: list[str]) -> Iterator[str]:
    yield from (way(word) for way in WAYS for word in words)
    number = 0
    while True:  # what no lexicon knows
        yield from (f"{word}{number}x" for word in words)
        number += 1
