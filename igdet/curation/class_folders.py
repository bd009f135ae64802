"""The classes of a folder-per-class set: which ones are chosen, and the words for them."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from igdet.curation.lexicon import Lexicon
from igdet.utils.errors import UserError
from igdet.utils.shown import shown
from igdet.world.synsets import Synset, read_synsets


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
        images: folder with one folder of pictures a class.
        choice: "all", "first:N", "last:N", or a file with one name a line.

    Raises:
        ClassesError: there is no class, none is chosen, or the choice names classes that are not there.
    """
    present = sorted(path.name for path in images.iterdir() if path.is_dir()) if images.is_dir() else []
    if not present:
        raise ClassesError(f"{images}: expected a folder with one folder of pictures a class")
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
