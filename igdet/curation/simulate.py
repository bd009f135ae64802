"""Posts from a folder-per-class set: its images with the hashtags that people might have given them."""

import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from igdet.curation.lexicon import Lexicon
from igdet.formats.images import describe, list_images
from igdet.formats.vocabulary import VOCABULARY_NAME
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write
from igdet.utils.messages import shown
from igdet.world.habit import Habit, write_hashtags, zipf
from igdet.world.posts import write_post_table
from igdet.world.taxonomy import Synset, read_synsets, vocabulary_of

logger = logging.getLogger(__name__)
TAGGED_NAME = "classes.txt"  # the classes that the table shows, one a line
HELD_OUT_NAME = "held_out.txt"  # the others
SCHEMA = pa.schema(
    [("id", pa.string()), ("image", pa.string()), ("tags", pa.list_(pa.string())), ("caption", pa.string())]
)
Post = tuple[str, list[str]]  # the image's path, raw hashtags


class ClassesError(UserError):
    """Folders, words and chosen classes that do not fit each other."""


class Classes(NamedTuple):
    """The classes of a set.

    Attributes:
        chosen: those to be used, in that order.
        held_out: the others.
    """

    chosen: list[str]
    held_out: list[str]


def choose_classes(images: Path, choice: str) -> Classes:
    """Choose among the class folders, which are sorted by name.

    Args:
        images: folder with one folder of images a class.
        choice: "all", "first:N", "last:N", or a file with one name a line.

    Raises:
        ClassesError: there is no class, none is chosen, or the choice names classes that are not there.
    """
    present = sorted(path.name for path in images.iterdir() if path.is_dir()) if images.is_dir() else []
    if not present:
        raise ClassesError(f"{images}: expected a folder with one folder of images a class")
    chosen = _choose(present, choice)
    if not chosen:
        raise ClassesError(f"{images}: of its {len(present)} class folders, {shown(choice)} leaves no class")
    return Classes(chosen, sorted(set(present) - set(chosen)))


def _choose(present: Sequence[str], choice: str) -> list[str]:
    rule, _, number = choice.partition(":")
    if rule == "all":
        return list(present)
    if rule in ("first", "last") and number.isdigit():
        return list(present[: int(number)] if rule == "first" else present[max(0, len(present) - int(number)) :])
    try:
        named = Path(choice).read_text(encoding="utf-8-sig").split()
    except OSError:
        raise ClassesError(f"classes {shown(choice)}: expected all, first:N, last:N or a file of names") from None
    absent = sorted(set(named) - set(present))
    if absent:
        raise ClassesError(f"{choice} names {len(absent)} classes without a folder: {absent[:5]}")
    return list(dict.fromkeys(named))


def words_of_synsets(classes: Classes, path: str | Path) -> dict[str, Synset]:
    """Take the words for the chosen classes from a file with a line "NAME lemma1, lemma2" for each.

    Raises:
        ClassesError: a class has no line.
    """
    words = read_synsets(path)
    wordless = sorted(set(classes.chosen) - set(words))
    if wordless:
        raise ClassesError(f"{path} has no line for {wordless[:5]}; each class folder needs one")
    return {name: words[name] for name in classes.chosen}


def words_of_lexicon(classes: Classes, lexicon: Lexicon) -> dict[str, Synset]:
    """Take the words for the chosen classes from a lexicon, and those for the next wider label where it knows one.

    Args:
        classes: named by labels, such as "n02132136", or else by what they show, such as "brown_bear".
        lexicon: where the names are looked up.

    Returns:
        Words by name, those for wider labels last; a class that is held out is nobody's wider label.
    """
    found = {name: Synset(_lemmas(name, lexicon), _wider(name, lexicon, classes.held_out)) for name in classes.chosen}
    wider = dict.fromkeys(synset.hypernym for synset in found.values() if synset.hypernym)
    return found | {label: Synset(_lemmas(label, lexicon)) for label in wider if label not in found}


def _wider(name: str, lexicon: Lexicon, held_out: Collection[str]) -> str:
    return next((label for label in lexicon.hypernyms(name) if label not in held_out), "")


def _lemmas(name: str, lexicon: Lexicon) -> tuple[str, ...]:
    return lexicon.words_of(name) or (re.sub(r"[\W_]+", " ", name).strip(),)


class SimulationError(UserError):
    """Posts that cannot be made or written."""


def simulate_posts(
    images: Path, classes: Classes, words: Mapping[str, Synset], out: Path, habit: Habit, seed: int
) -> int:
    """Write a table of posts, and beside it the vocabulary and the lists of tagged and of held-out classes.

    Args:
        images: folder with one folder of images a class.
        classes: those to tag, and the others.
        words: for the former, and for what is wider.
        out: the table. As .csv: image (path relative to `images`) and hashtags. As .parquet: id, image, tags (as
            written, without "#") and a caption that holds the same hashtags.
        habit: how people tag. A class skew above 0 leaves out images of all but the most popular class.
        seed: >= 0; the same seed and files give the same posts.

    Returns:
        The number of posts.

    Raises:
        SimulationError: the table is to have another format, other files of the names beside it are there already,
            the classes seem to lie a folder deeper, or not one image gets a hashtag.
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
            f"{images}: no image in its {len(classes.chosen)} class folders that can be read, or none with a hashtag"
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
    """Tag images so that the classes, in random order of popularity, follow Zipf's law."""
    shares = zipf(len(names), habit.class_skew)
    kept_shares = rng.permutation(shares / shares[0])
    found = {name: list_images(images, name) for name in names}
    if passed_over := sum((listing.passed_over for listing in found.values()), Counter()):
        logger.warning(f"{images}: passed over: {describe(passed_over)}")
    by_class = {name: listing.images for name, listing in found.items()}
    _require_class_folders(images, by_class)
    posts = [
        (image, write_hashtags([name], words, habit, rng))
        for name, share in zip(names, kept_shares, strict=True)
        for image in by_class[name]
        if rng.random() < share
    ]
    return [post for post in posts if post[1]]  # a post without a hashtag is none; in a table it is a bad record


def _require_class_folders(images: Path, by_class: Mapping[str, list[str]]) -> None:
    """Refuse the folder above class folders, which `train` and `val` in it look like; CLASS/images/*.jpg is fine."""
    for name, paths in by_class.items():
        inside = [PurePath(path).relative_to(name).parts for path in paths]
        below = sorted({parts[0] for parts in inside})
        if len(below) > 1 and all(len(parts) > 1 for parts in inside):
            raise SimulationError(
                f"{images}: its folder {name} holds no image itself, but {len(below):,} folders with images, such "
                f"as {below[0]}: expected the images of one class; if these are the classes, give {images / name}, "
                "otherwise put all images of a class into one folder"
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
