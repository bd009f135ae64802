"""Posts from a folder-per-class set: its pictures with the hashtags that people might have given them."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from igdet.curation.class_folders import Classes
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write
from igdet.utils.image_files import describe, list_images
from igdet.vocabulary import VOCABULARY_NAME
from igdet.world.habit import Habit, write_hashtags, zipf
from igdet.world.posts import write_post_table
from igdet.world.synsets import Synset, vocabulary_of

TAGGED_NAME = "classes.txt"  # the classes that the table shows, one a line
HELD_OUT_NAME = "held_out.txt"  # the others

SCHEMA = pa.schema(
    [("id", pa.string()), ("image", pa.string()), ("tags", pa.list_(pa.string())), ("caption", pa.string())]
)

Post = tuple[str, list[str]]  # the picture's path, raw hashtags


logger = logging.getLogger(__name__)


class SimulationError(UserError):
    """Posts that cannot be made or written."""


def simulate_posts(
    images: Path, classes: Classes, words: Mapping[str, Synset], out: Path, habit: Habit, seed: int
) -> int:
    """Write a table of posts, and beside it the vocabulary and the lists of tagged and of held-out classes.

    Args:
        images: folder with one folder of pictures a class.
        classes: those to tag, and the others.
        words: for the former, and for what is wider.
        out: the table. As .csv: image (path relative to `images`) and hashtags. As .parquet: id, image, tags (as
            written, without "#") and a caption that holds the same hashtags.
        habit: how people tag. A class skew above 0 leaves out pictures of all but the most popular class.
        seed: >= 0; the same seed and files give the same posts.

    Returns:
        The number of posts.

    Raises:
        SimulationError: the table is to have another format, other files of the names beside it are there already,
            the classes seem to lie a folder deeper, or not one picture gets a hashtag.
    """
    if out.suffix not in _WRITERS:
        raise SimulationError(f"{out}: the suffix decides on the format; expected {' or '.join(_WRITERS)}")
    beside = {
        out.with_name(VOCABULARY_NAME): vocabulary_of(words.values()).text(),
        out.with_name(TAGGED_NAME): _lines(classes.chosen),
        out.with_name(HELD_OUT_NAME): _lines(classes.held_out),
    }
    _require_no_others(beside)
    posts = _make_posts(images, classes.chosen, words, habit, np.random.default_rng(seed))
    if not posts:
        raise SimulationError(
            f"{images}: no picture in its {len(classes.chosen)} class folders that can be read, or none with a hashtag"
        )
    _WRITERS[out.suffix](out, posts)
    for path, text in beside.items():
        with atomic_write(path, "w") as file:
            file.write(text)
    return len(posts)


def _require_no_others(beside: Mapping[Path, str]) -> None:
    """Refuse to write over files that say something else: other tables or shards may be read with them."""
    for path, text in beside.items():
        if path.is_file() and path.read_bytes() != text.encode():
            raise SimulationError(
                f"{path} is there already and differs from what would be written: {path.parent} may hold posts that "
                "need it; expected a folder without one; write to another folder, or move it away"
            )


def _make_posts(
    images: Path, names: list[str], words: Mapping[str, Synset], habit: Habit, rng: np.random.Generator
) -> list[Post]:
    """Tag pictures so that the classes, in random order of popularity, follow Zipf's law."""
    shares = zipf(len(names), habit.class_skew)
    kept_shares = rng.permutation(shares / shares[0])
    found = {name: list_images(images, name) for name in names}
    if passed_over := sum((listing.passed_over for listing in found.values()), Counter()):
        logger.warning("%s: passed over: %s", images, describe(passed_over))
    pictures = {name: listing.images for name, listing in found.items()}
    _require_class_folders(images, pictures)
    posts = [
        (picture, write_hashtags([name], words, habit, rng))
        for name, share in zip(names, kept_shares, strict=True)
        for picture in pictures[name]
        if rng.random() < share
    ]
    return [post for post in posts if post[1]]  # a post without a hashtag is none; in a table it is a bad record


def _require_class_folders(images: Path, pictures: Mapping[str, list[str]]) -> None:
    """Refuse the folder above class folders, which `train` and `val` in it look like; CLASS/images/*.jpg is fine."""
    for name, paths in pictures.items():
        inside = [PurePath(path).relative_to(name).parts for path in paths]
        below = sorted({parts[0] for parts in inside})
        if len(below) > 1 and all(len(parts) > 1 for parts in inside):
            raise SimulationError(
                f"{images}: its folder {name} holds no picture itself, but {len(below):,} folders with pictures, such "
                f"as {below[0]}: expected the pictures of one class; if these are the classes, give {images / name}, "
                "otherwise put all pictures of a class into one folder"
            )


def _write_parquet(path: Path, posts: Iterable[Post]) -> None:
    rows = [
        {
            "id": f"{number:09d}",
            "image": image,
            "tags": [hashtag.removeprefix("#") for hashtag in hashtags],
            "caption": " ".join(hashtags),
        }
        for number, (image, hashtags) in enumerate(posts)
    ]
    with atomic_write(path) as file:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), file)


_WRITERS = {".csv": write_post_table, ".parquet": _write_parquet}


def _lines(names: Iterable[str]) -> str:
    return "".join(f"{name}\n" for name in names)
