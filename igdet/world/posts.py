"""The world's posts: images with raw hashtags, in shards or as loose files with a table."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from igdet.formats.shards import SetName, ShardWriter
from igdet.formats.vocabulary import VOCABULARY_NAME
from igdet.reporting.tables import write_csv
from igdet.world.habit import Habit, write_hashtags, zipf
from igdet.world.rendering import Source, encode_jpeg, make_items
from igdet.world.scene import Style, draw_image
from igdet.world.taxonomy import SYNSETS, VOCABULARY, WNIDS

SECOND_THING = 0.15  # probability that a post shows two things; most have one salient one
_SHARD_SIZE = 5_000  # posts a shard: about 10 MB of 64-pixel images

HABIT = Habit()


@dataclass(frozen=True)
class Post:
    """A JPEG file and the hashtags its author gave it."""

    image: bytes
    hashtags: list[str]


def make_post(source: Source, style: Style, index: int) -> Post:
    """Make one post; at least one of its hashtags is in the vocabulary, for that is how posts are collected."""
    rng = source.generator(index)
    class_ids = _choose_classes(source.seed, rng)
    wnids = [WNIDS[class_id] for class_id in class_ids]
    hashtags: list[str] = []
    while not len(VOCABULARY.ids(hashtags)):
        hashtags = write_hashtags(wnids, SYNSETS, HABIT, rng)
    return Post(encode_jpeg(draw_image(class_ids, style, rng).image), hashtags)


def _choose_classes(seed: int, rng: np.random.Generator) -> list[int]:
    ranks = rng.choice(len(WNIDS), 1 + (rng.random() < SECOND_THING), p=zipf(len(WNIDS), HABIT.class_skew))
    return _by_popularity(seed)[ranks].tolist()


@cache
def _by_popularity(seed: int) -> np.ndarray:
    """Rank the classes; which ones are popular depends on the world's seed."""
    return np.random.default_rng(seed).permutation(len(WNIDS))


def write_shards(folder: Path, source: Source, style: Style, count: int, workers: int) -> None:
    """Write posts as shards."""
    posts = make_items(partial(make_post, source, style), count, source.part, workers)
    with ShardWriter(folder, VOCABULARY, _SHARD_SIZE, SetName(Path(source.part).name, "world")) as writer:
        for index, post in enumerate(posts):
            writer.add(f"{index:08d}", post.image, post.hashtags)


def write_loose(folder: Path, source: Source, style: Style, count: int, workers: int) -> None:
    """Write posts as loose files with a table of their raw hashtags, and the vocabulary."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for index, post in enumerate(make_items(partial(make_post, source, style), count, source.part, workers)):
        name = f"images/{index:06d}.jpg"
        (folder / name).write_bytes(post.image)
        rows.append((name, post.hashtags))
    write_post_table(folder / "posts.csv", rows)
    VOCABULARY.write(folder / VOCABULARY_NAME)


def write_post_table(path: Path, rows: Iterable[tuple[str, list[str]]]) -> None:
    """Write a CSV table with the columns "image", a path, and "hashtags", raw and separated by spaces."""
    write_csv(path, ("image", "hashtags"), ((name, " ".join(hashtags)) for name, hashtags in rows))
