"""ImageNet's lists of synsets, their lemmas and the ReaL labels: timm ships them, and is not needed for anything else.

They are read as files, so that nothing of timm, or of the torch below it, is imported.
"""

import json
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePath

from igdet.utils.errors import UserError
from igdet.utils.messages import did_you_mean

VALIDATION_IMAGES = 50_000  # of ImageNet-1k
_WNID = re.compile(r"n\d{8}")
_VALIDATION_ID = re.compile(r"ILSVRC2012_val_(\d{8})")
_FOLDER = "timm/data/_info"

# Name of a list -> timm's file of it; a class's id is its line, from 0.
SYNSET_FILES = {
    "imagenet-1k": "imagenet_synsets.txt",
    "imagenet-12k": "imagenet12k_synsets.txt",
    "imagenet-22k": "imagenet22k_synsets.txt",  # the Fall 2011 release
    "imagenet-a": "imagenet_a_synsets.txt",
    "imagenet-r": "imagenet_r_synsets.txt",
}


def is_wnid(name: str) -> bool:
    """Whether a name is a WordNet id such as n02084071."""
    return bool(_WNID.fullmatch(name))


def synsets(name: str) -> list[str]:
    """Return a list of wnids in the order of their ids.

    Args:
        name: one of `SYNSET_FILES`.

    Raises:
        UserError: there is no such list, or timm is not there.
    """
    if name not in SYNSET_FILES:
        raise UserError(
            f"there is no list of synsets {name!r}; expected one of {', '.join(SYNSET_FILES)}"
            f"{did_you_mean(name, SYNSET_FILES)}"
        )
    return _read(SYNSET_FILES[name]).split()


def lemmas() -> dict[str, str]:
    """Return the words of each synset of ImageNet, such as "n02084071": "dog, domestic dog, Canis familiaris".

    Raises:
        UserError: timm is not there.
    """
    return dict(line.split("\t", 1) for line in _read("imagenet_synset_to_lemma.txt").splitlines())


def real_labels() -> list[list[int]]:
    """Class ids of each of ImageNet's validation images; none where the makers of ReaL found no class.

    Source: Beyer et al. 2020, "Are we done with ImageNet?", arXiv 2006.07159.

    Raises:
        UserError: timm is not there.
    """
    return json.loads(_read("imagenet_real_labels.json"))


def is_validation_image(name: str) -> bool:
    """Whether a path is named as ImageNet's validation images are."""
    return bool(_VALIDATION_ID.fullmatch(PurePath(name).stem))


def validation_number(name: str, count: int = VALIDATION_IMAGES) -> int:
    """Read the number, from 1, of one of ImageNet's validation images from its path.

    Raises:
        UserError: it is another image, or beyond `count`.
    """
    match = _VALIDATION_ID.fullmatch(PurePath(name).stem)
    if not match or not 1 <= int(match[1]) <= count:
        raise UserError(f"{name}: ReaL labels are for ImageNet's ILSVRC2012_val_00000001 to {count:08d} only")
    return int(match[1])


def _read(file: str) -> str:
    try:
        return Path(str(distribution("timm").locate_file(f"{_FOLDER}/{file}"))).read_text(encoding="utf-8")
    except (PackageNotFoundError, FileNotFoundError) as error:
        raise UserError(f"ImageNet's {file} comes with timm 1.0 or later: pip install timm") from error
