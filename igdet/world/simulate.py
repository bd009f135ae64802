"""Turning any folder-per-class set into tagged posts, as if its pictures came from a photo-sharing site."""

import os
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write
from igdet.vocabulary import VOCABULARY_NAME
from igdet.world.habit import Habit, write_hashtags, zipf
from igdet.world.posts import write_post_table
from igdet.world.synsets import Synset, read_synsets, vocabulary_of

TAGGED_NAME = "classes.txt"  # the classes that the table shows, one a line
HELD_OUT_NAME = "held_out.txt"  # the others


class SimulationError(UserError):
    """Pictures, synsets and chosen classes that do not fit each other."""


def simulate_posts(
    images: str | PathLike, synsets: str | PathLike, out: str | PathLike, classes: str, habit: Habit, seed: int
) -> int:
    """Write a table of posts, and beside it the vocabulary and the lists of tagged and of held-out classes.

    Args:
        images: folder with one folder a class, named by its wnid.
        synsets: file with a line "wnid lemma1, lemma2" for each class.
        out: the table, CSV: path relative to `images`, raw hashtags.
        classes: which classes to tag: "all", "first:N", "last:N" by wnid, or a file with one wnid a line.
        habit: how people tag. A class skew above 0 leaves out pictures of all but the most popular class.
        seed: >= 0; the same seed gives the same table.

    Returns:
        The number of posts.

    Raises:
        SimulationError: there are no class folders, or the choice names classes without folder or words.
    """
    words, out = read_synsets(synsets), Path(out)
    present = sorted(entry.name for entry in os.scandir(images) if entry.is_dir())
    chosen = choose_classes(present, classes)
    wordless = sorted(set(chosen) - set(words))
    if not chosen or wordless:
        problem = f"{synsets} has no line for {wordless[:5]}" if wordless else f"{classes!r} leaves no class"
        raise SimulationError(f"{images}: of its {len(present)} class folders, {problem}")
    chosen_words = {wnid: words[wnid] for wnid in chosen}
    rows = _posts(Path(images), chosen_words, habit, np.random.default_rng(seed))
    write_post_table(out, rows)
    vocabulary_of(chosen_words.values()).write(out.with_name(VOCABULARY_NAME))
    _write_lines(out.with_name(TAGGED_NAME), chosen)
    _write_lines(out.with_name(HELD_OUT_NAME), sorted(set(present) - set(chosen)))
    return len(rows)


def choose_classes(present: Sequence[str], classes: str) -> list[str]:
    """Choose among sorted class names by "all", "first:N", "last:N" or a file of names.

    Raises:
        SimulationError: the choice cannot be understood, or names classes that are not there.
    """
    rule, _, number = classes.partition(":")
    if rule == "all":
        return list(present)
    if rule in ("first", "last") and number.isdigit():
        return list(present[: int(number)] if rule == "first" else present[len(present) - int(number) :])
    try:
        named = Path(classes).read_text(encoding="utf-8-sig").split()
    except OSError:
        raise SimulationError(f"classes {classes!r}: expected all, first:N, last:N or a file of wnids") from None
    absent = sorted(set(named) - set(present))
    if absent:
        raise SimulationError(f"{classes} names {len(absent)} classes without a folder: {absent[:5]}")
    return named


def _posts(images: Path, words: dict[str, Synset], habit: Habit, rng: np.random.Generator) -> list[tuple[str, list]]:
    shares = zipf(len(words), habit.class_skew)
    kept_shares = dict(zip(words, rng.permutation(shares / shares[0]), strict=True))
    files = [(wnid, file) for wnid in words for file in sorted((images / wnid).rglob("*.*"))]
    posts = [
        (file.relative_to(images).as_posix(), write_hashtags([wnid], words, habit, rng))
        for wnid, file in files
        if rng.random() < kept_shares[wnid]
    ]
    return [post for post in posts if post[1]]  # a post without a hashtag is none; in a table it is a bad record


def _write_lines(path: Path, lines: list[str]) -> None:
    with atomic_write(path, "w") as file:
        file.writelines(f"{line}\n" for line in lines)
