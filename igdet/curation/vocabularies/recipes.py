"""Recipes that select a vocabulary: which labels become the label space of a pretraining, and which are blocked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation.lexicon import Lexicon
from igdet.curation.vocabularies.target_classes import (
    IMAGENET_1K,
    TargetError,
    TargetMatch,
    match_targets,
    read_targets,
    rows_of_matches,
)
from igdet.formats.vocabulary import Vocabulary, normalise_tag
from igdet.utils.messages import did_you_mean, shown
from igdet.utils.yaml import ConfigError

DEFAULT = "default"  # names the list that igdet ships
_SHIPPED = Path(__file__).with_name("block_list.txt")
_NOT_CARRIED = "not in the vocabulary that is carried"
MOST_NAMED = 20  # unknown names that one error spells out
NEED_TARGETS = {"list": "a file of wnids or names, or a COCO json", "vocabulary": "a vocabulary.txt"}


def read_block_lists(names: Iterable[str]) -> frozenset[str]:
    """Read the hashtags of block lists, as normal forms.

    Args:
        names: files of UTF-8 text, a hashtag a line, where lines that begin with "# " are comments; or "default".

    Raises:
        ConfigError: a file cannot be read.
    """
    blocked: set[str] = set()
    for name in names:
        path = _SHIPPED if name == DEFAULT else Path(name).expanduser()
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"BLOCK_LISTS: cannot read {path}: {error}") from error
        blocked.update(normalise_tag(line) for line in lines if not line.startswith("# "))
    return frozenset(blocked - {""})


def blocked_rows(labels: pa.Table, blocked: frozenset[str]) -> np.ndarray:
    """Find the labels of which any hashtag is blocked, bool (L,).

    One is enough: a functional hashtag is far more frequent than the nouns it was merged with, so most posts of the
    label carry it.
    """
    return np.array([not blocked.isdisjoint(tags) for tags in labels["tags"].to_pylist()], dtype=bool)


@dataclass(frozen=True)
class Recipe:
    """How to select a vocabulary; the fields are the keys of a config in lower case.

    Attributes:
        name: a key of `RECIPES`.
        min_posts: labels that fewer posts carry are dropped.
        top: how many labels `top-k` keeps, > 0.
        targets: file of target classes for `list`, and instead of ImageNet's 1,000 for `imagenet-1k`; the file of a
            vocabulary for `vocabulary`.
        allow_unknown: go on without the target classes that neither the lexicon nor a hashtag has.
        block_lists: files of hashtags to drop; "default" is the shipped one.

    Raises:
        ConfigError: there is no recipe of that name, or it needs other settings.
    """

    name: str = "wordnet-nouns"
    min_posts: int = 1
    top: int = 8500
    targets: str = ""
    allow_unknown: bool = False
    block_lists: list[str] = field(default_factory=lambda: [DEFAULT])

    def __post_init__(self) -> None:
        if self.name not in RECIPES:
            raise ConfigError(
                f"the recipe {shown(self.name)} is none of {', '.join(RECIPES)}{did_you_mean(self.name, RECIPES)}"
            )
        if self.name in NEED_TARGETS and not self.targets:
            raise ConfigError(f"the recipe {shown(self.name)} needs TARGETS: {NEED_TARGETS[self.name]}")
        if self.top < 1:
            raise ConfigError(f"TOP must be > 0, not {self.top}")


class Selection(NamedTuple):
    """The labels that a recipe keeps.

    Attributes:
        labels: the kept rows, in their order.
        others: the other rows, with a further column reason.
        dropped: reason -> (labels, sum of their posts), for each reason that there can be.
        matches: what each target class was found to be; () for a recipe without targets.
    """

    labels: pa.Table
    others: pa.Table
    dropped: dict[str, tuple[int, int]]
    matches: tuple[TargetMatch, ...]


class Choice(NamedTuple):
    """What a recipe wants.

    Attributes:
        wanted: bool (L,).
        reason: why the other labels are dropped.
        matches: as in `Selection`.
    """

    wanted: np.ndarray
    reason: str
    matches: tuple[TargetMatch, ...] = ()


def select(labels: pa.Table, recipe: Recipe, lexicon: Lexicon) -> Selection:
    """Select the labels of a vocabulary.

    Args:
        labels: the table of labels, the most frequent first.
        recipe: the settings.
        lexicon: the words that the labels were made with.

    Returns:
        The kept labels, and why the others were dropped: a label that is on a block list is dropped as "blocked", else
        a rare one as "below MIN_POSTS", else what the recipe does not want.

    Raises:
        ConfigError: the settings cannot be used, or targets are unknown; all unknown names are in one error.
    """
    posts = labels["posts"].to_numpy()
    left = np.ones(len(labels), dtype=bool)
    reasons = np.full(len(labels), None, dtype=object)
    dropped: dict[str, tuple[int, int]] = {}

    def keep(passes: np.ndarray, reason: str) -> None:
        gone = left & ~passes
        dropped[reason] = (int(gone.sum()), int(posts[gone].sum()))
        left[gone], reasons[gone] = False, reason

    keep(~blocked_rows(labels, read_block_lists(recipe.block_lists)), "blocked")
    keep(posts >= recipe.min_posts, "below MIN_POSTS")
    fit = RECIPES[recipe.name](labels, recipe, lexicon, left)
    keep(fit.wanted, fit.reason)
    others = labels.append_column("reason", pa.array(reasons, pa.string())).filter(pa.array(~left))
    return Selection(labels.filter(pa.array(left)), others, dropped, fit.matches)


def carry_over(labels: pa.Table, kept: pa.Table, matches: tuple[TargetMatch, ...] = ()) -> Selection:
    """Keep a vocabulary as it is, whatever has become frequent since.

    Args:
        labels: the table of labels of all posts.
        kept: the vocabulary's, made of some of these posts.
        matches: what its target classes were found to be.

    Returns:
        Its labels with their ids, names and hashtags, and with the posts that they have now.
    """
    keys = kept["label"].combine_chunks()
    posts = labels["posts"].take(pc.index_in(keys, labels["label"].combine_chunks()))
    others = labels.filter(pc.invert(pc.is_in(labels["label"], keys)))
    others = others.append_column("reason", pa.repeat(_NOT_CARRIED, len(others)))
    dropped = {_NOT_CARRIED: (len(others), pc.sum(others["posts"]).as_py() or 0)}
    carried = kept.set_column(kept.schema.get_field_index("posts"), "posts", posts)
    return Selection(carried, others, dropped, matches)


def _wordnet_nouns(labels: pa.Table, recipe: Recipe, lexicon: Lexicon, left: np.ndarray) -> Choice:
    """Every label of the lexicon, and every word of it that was kept as a label of its own."""
    keys = labels["label"].to_pylist()
    known = [bool(lexicon.words_of(key) or lexicon.labels_of(key)) for key in keys]
    return Choice(np.array(known, dtype=bool), "not in the lexicon")


def _top_k(labels: pa.Table, recipe: Recipe, lexicon: Lexicon, left: np.ndarray) -> Choice:
    nouns = left & _wordnet_nouns(labels, recipe, lexicon, left).wanted
    most_frequent = np.cumsum(nouns) <= recipe.top  # the table begins with the most frequent labels
    return Choice(nouns & most_frequent, f"not among the {recipe.top:,} most frequent of the lexicon")


def _imagenet_1k(labels: pa.Table, recipe: Recipe, lexicon: Lexicon, left: np.ndarray) -> Choice:
    return _of_targets(labels, replace(recipe, targets=recipe.targets or str(IMAGENET_1K)), lexicon)


def _list(labels: pa.Table, recipe: Recipe, lexicon: Lexicon, left: np.ndarray) -> Choice:
    return _of_targets(labels, recipe, lexicon)


def _vocabulary(labels: pa.Table, recipe: Recipe, lexicon: Lexicon, left: np.ndarray) -> Choice:
    """The labels of which a hashtag is in a vocabulary, such as one that tools/match_label_space.py has chosen."""
    vocabulary = Vocabulary.read(recipe.targets)
    known = [len(vocabulary.ids(tags)) > 0 for tags in labels["tags"].to_pylist()]
    return Choice(np.array(known, dtype=bool), "not in the vocabulary given")


def _of_targets(labels: pa.Table, recipe: Recipe, lexicon: Lexicon) -> Choice:
    """The labels that are a class of the target, or a hashtag of which is a word of one."""
    try:
        matches = tuple(match_targets(read_targets(recipe.targets), labels, lexicon))
    except TargetError as error:
        raise ConfigError(f"TARGETS: {error}") from error
    unknown = [match.key for match in matches if match.rule == "unmatched"]
    if unknown and not recipe.allow_unknown:
        raise ConfigError(_unknown_names(recipe.targets, unknown, labels))
    wanted = np.zeros(len(labels), dtype=bool)
    for rows in rows_of_matches(labels, matches, lexicon):
        wanted[list(rows)] = True
    return Choice(wanted, "no target class", matches)


def _unknown_names(path: str, unknown: list[str], labels: pa.Table) -> str:
    names = labels["name"].to_pylist()
    lines = [f"  {shown(name)}{did_you_mean(name, names)}" for name in unknown[:MOST_NAMED]]
    lines += [f"  and {len(unknown) - MOST_NAMED} more"] if len(unknown) > MOST_NAMED else []
    problem = f"{path}: neither the lexicon nor a hashtag has these {len(unknown)} target classes"
    return "\n".join([f"{problem} (ALLOW_UNKNOWN: true goes on without them):", *lines])


# Labels, settings, lexicon, and which labels are neither blocked nor rare -> which labels the recipe wants.
RECIPES: dict[str, Callable[[pa.Table, Recipe, Lexicon, np.ndarray], Choice]] = {
    "imagenet-1k": _imagenet_1k,  # train-IG-I-1.5k
    "wordnet-nouns": _wordnet_nouns,  # train-IG-I-17k
    "top-k": _top_k,  # train-IG-I-8.5k
    "list": _list,
    "vocabulary": _vocabulary,
}
