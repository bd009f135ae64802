"""The classes of the world, and synonym sets: which words name a class, and which wider class it belongs to."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from igdet.formats.vocabulary import Vocabulary, normalise_tag
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write
from igdet.utils.messages import shown


@dataclass(frozen=True)
class Synset:
    """The words for one thing.

    Attributes:
        lemmas: its names, the usual one first; spaces allowed.
        hypernym: the key of the wider synset in the same table; "" when it has none there.
    """

    lemmas: tuple[str, ...]
    hypernym: str = ""


def hashtag_of(lemma: str) -> str:
    """Write a lemma as one word without punctuation, as hashtags are: "hot air balloon" becomes "hotairballoon"."""
    return "".join(re.findall(r"\w+", lemma)).lower()


def vocabulary_of(synsets: Iterable[Synset]) -> Vocabulary:
    """Make every synset a label, with its lemmas as the hashtags that count as it.

    A word that two synsets share counts as the first of them; a synset that has no word of its own gets no label.
    """
    taken: set[str] = set()
    labels = []
    for synset in synsets:
        by_form = {normalise_tag(hashtag_of(lemma)): hashtag_of(lemma) for lemma in synset.lemmas}
        own = {form: tag for form, tag in by_form.items() if form and form not in taken}
        taken |= own.keys()
        if own:
            labels.append(tuple(own.values()))
    return Vocabulary(labels)


def write_synsets(path: str | PathLike, synsets: Mapping[str, Synset]) -> None:
    """Write a file with a line "wnid<TAB>lemma1, lemma2" for each synset, the form that ImageNet's lists have."""
    with atomic_write(path, "w") as file:
        file.writelines(f"{wnid}\t{', '.join(synset.lemmas)}\n" for wnid, synset in synsets.items())


def read_synsets(path: str | PathLike) -> dict[str, Synset]:
    """Read lines "wnid lemma1, lemma2"; the first white space ends the wnid.

    Raises:
        UserError: a line has no lemma, or a wnid is on two lines; the message names file and line.
    """
    synsets: dict[str, Synset] = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8-sig").splitlines(), start=1):
        wnid, _, words = line.strip().partition("\t" if "\t" in line else " ")
        lemmas = tuple(word.strip() for word in words.split(",") if word.strip())
        if not lemmas or wnid in synsets:
            problem = "is listed twice" if wnid in synsets else "has no lemma"
            raise UserError(
                f"{path}, line {number}: {shown(wnid)} {problem}; expected 'wnid lemma1, lemma2' once a class"
            )
        synsets[wnid] = Synset(lemmas)
    return synsets


# wnid: words, wider kind. Ids start with "w", so that nobody takes them for WordNet's.
LEAVES: dict[str, Synset] = {
    "w0101": Synset(("goldfish", "golden carp", "carassius"), "w0100"),
    "w0102": Synset(("angelfish", "scalare", "angel fin"), "w0100"),
    "w0103": Synset(("shark", "selachian", "maneater"), "w0100"),
    "w0201": Synset(("owl", "hoot owl", "bird of night"), "w0200"),
    "w0202": Synset(("parrot", "polly", "psittacine"), "w0200"),
    "w0203": Synset(("penguin", "pingu", "spheniscid"), "w0200"),
    "w0301": Synset(("butterfly", "flutterby", "lepidopteran"), "w0300"),
    "w0302": Synset(("ladybug", "ladybird", "ladybeetle"), "w0300"),
    "w0303": Synset(("bee", "honeybee", "apis"), "w0300"),
    "w0401": Synset(("mushroom", "toadstool", "agaric"), "w0400"),
    "w0402": Synset(("cactus", "cacti", "prickly pear"), "w0400"),
    "w0403": Synset(("sunflower", "helianthus"), "w0400"),
    "w0501": Synset(("sailboat", "sailing boat", "sloop"), "w0500"),
    "w0502": Synset(("balloon", "hot air balloon", "aerostat"), "w0500"),
    "w0503": Synset(("rocket", "spaceship", "starship"), "w0500"),
    "w0601": Synset(("dancer", "ballerina", "terpsichorean"), "w0600"),
}
WIDER: dict[str, Synset] = {
    "w0100": Synset(("fish", "fishes")),
    "w0200": Synset(("bird", "birdie")),
    "w0300": Synset(("insect", "bug")),
    "w0400": Synset(("plant", "flora")),
    "w0500": Synset(("craft", "vehicle")),
    "w0600": Synset(("person", "people")),
}
SYNSETS: dict[str, Synset] = LEAVES | WIDER
VOCABULARY = vocabulary_of(SYNSETS.values())  # label ids: the 16 leaves in order, then the 6 wider kinds
WNIDS: tuple[str, ...] = tuple(LEAVES)  # class ids are positions in this
NAMES: tuple[str, ...] = tuple(synset.lemmas[0] for synset in LEAVES.values())
DANCER = NAMES.index("dancer")
