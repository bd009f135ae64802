"""Posts from a labelled folder: pictures of known classes with the hashtags that people might have given them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from igdet.curation.lexicon import Lexicon
from igdet.utils.files import atomic_write
from igdet.utils.strict_yaml import ConfigError
from igdet.world.habit import Habit, write_hashtags, zipf
from igdet.world.synsets import Synset

SCHEMA = pa.schema(
    [("id", pa.string()), ("image", pa.string()), ("tags", pa.list_(pa.string())), ("caption", pa.string())]
)
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})


def simulate_posts(images: Path, words: Mapping[str, Synset], output: Path, habit: Habit, seed: int) -> int:
    """Write a table of posts.

    Args:
        images: folder with one folder of pictures a class.
        words: of the classes and of what is wider, see `class_words`.
        output: the Parquet file: id, image (relative to `images`), tags (as written, without "#") and a caption that
            holds the same hashtags.
        habit: how people tag. A class skew above 0 leaves out pictures of all but the most popular class.
        seed: >= 0; the same seed and files give the same posts.

    Returns:
        The number of posts.

    Raises:
        ConfigError: there are no class folders, or no pictures in them.
    """
    rng = np.random.default_rng(seed)
    chosen = _choose(images, habit, rng)
    if not chosen:
        raise ConfigError(f"{images}: no picture in its class folders; known suffixes: {', '.join(sorted(_SUFFIXES))}")
    posts = [
        _post(number, image, write_hashtags([image.split("/")[0]], words, habit, rng))
        for number, image in enumerate(chosen)
    ]
    with atomic_write(output) as file:
        pq.write_table(pa.Table.from_pylist(posts, schema=SCHEMA), file)
    return len(posts)


def class_names(images: Path) -> list[str]:
    """Give the names of the class folders, sorted.

    Raises:
        ConfigError: there is none.
    """
    names = sorted(path.name for path in images.iterdir() if path.is_dir()) if images.is_dir() else []
    if not names:
        raise ConfigError(f"{images}: expected a folder with one folder of pictures a class")
    return names


def class_words(names: Iterable[str], synsets: Mapping[str, Synset], lexicon: Lexicon) -> dict[str, Synset]:
    """Find words for classes, and those of the next wider label where the lexicon knows one.

    Args:
        names: of the class folders, such as "n02132136" or "brown_bear".
        synsets: words by name, see `igdet.world.synsets.read_synsets`; they come first.
        lexicon: where else names are looked up, as labels; a name that is no label is itself the word.

    Returns:
        Words by name, the wider labels included.
    """
    words = {name: synsets.get(name) or Synset(_lemmas(name, lexicon)) for name in names}
    wider = {name: next(iter(lexicon.hypernyms(name)), "") for name in words}
    found = {name: Synset(synset.lemmas, wider[name]) for name, synset in words.items()}
    return {label: Synset(_lemmas(label, lexicon)) for label in wider.values() if label} | found


def _lemmas(name: str, lexicon: Lexicon) -> tuple[str, ...]:
    return lexicon.words_of(name) or (re.sub(r"[\W_]+", " ", name).strip(),)


def _choose(images: Path, habit: Habit, rng: np.random.Generator) -> list[str]:
    """Choose pictures so that the classes, in random order of popularity, follow Zipf's law."""
    names = class_names(images)
    shares = zipf(len(names), habit.class_skew)
    kept_shares = rng.permutation(shares / shares[0])
    return [
        image
        for name, share in zip(names, kept_shares, strict=True)
        for image in _pictures(images, name)
        if rng.random() < share
    ]


def _pictures(images: Path, name: str) -> list[str]:
    files = (path for path in (images / name).rglob("*") if path.suffix.lower() in _SUFFIXES)
    return sorted(path.relative_to(images).as_posix() for path in files)


def _post(number: int, image: str, hashtags: Sequence[str]) -> dict:
    tags = [hashtag.removeprefix("#") for hashtag in hashtags]
    return {"id": f"{number:09d}", "image": image, "tags": tags, "caption": " ".join(hashtags)}
