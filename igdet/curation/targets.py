"""Reading the classes of a target task: wnid lists, synset files, class names, COCO categories."""

import json
import re
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from igdet.utils.errors import UserError
from igdet.utils.shown import shown

IMAGENET_1K = Path(__file__).with_name("imagenet_1k.txt")
_COCO_SYNSETS = Path(__file__).with_name("coco_synsets.txt")
_WNID = re.compile(r"n\d{8}\b")
# How data sets number and group their class names; the group is what the name is.
_NAME_FORMS = (
    re.compile(r"(?:\d+\s+)?\d+\.(?P<name>.+)"),  # CUB: "1 001.Black_footed_Albatross"
    re.compile(r"/\w/(?P<name>[^/\s]+)(?:/\S+)?(?:\s+\d+)?"),  # Places: "/c/church/indoor 91"
    re.compile(r"#?(?P<name>.+)"),
)


class TargetError(UserError):
    """A file of target classes that cannot be read."""


class TargetClass(NamedTuple):
    """One class of a target task.

    Attributes:
        key: what tells it from the others: its wnid, or its name as the file writes it.
        names: its names, spaces allowed; () for a wnid alone.
        wnid: its WordNet synset, "" when only names are known.
    """

    key: str
    names: tuple[str, ...]
    wnid: str = ""


def read_targets(path: str | PathLike) -> list[TargetClass]:
    """Read the classes of a target task.

    Args:
        path: COCO annotations (`.json`; the synsets of COCO's own categories are known), or UTF-8 text with one class a
            line: a wnid, a wnid and its lemmas as in ImageNet's lists, or a name as CUB, Places or people write it.
            Lines that begin with "# " are comments.

    Raises:
        TargetError: the file is missing, is neither, names no class, or names one twice.
    """
    path = Path(path).expanduser()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TargetError(f"{path}: cannot read the target classes: {error}") from error
    classes = _coco_categories(path, text) if path.suffix == ".json" else _lines(text)
    if not classes:
        raise TargetError(f"{path} names no class; expected one a line, or the categories of a COCO json")
    keys: set[str] = set()
    for key, *_ in classes:
        if key in keys:
            raise TargetError(f"{path}: the class {shown(key)} stands twice; keep one of them")
        keys.add(key)
    return classes


def _coco_categories(path: Path, text: str) -> list[TargetClass]:
    try:
        names = [category["name"] for category in json.loads(text)["categories"]]
    except (ValueError, KeyError, TypeError) as error:
        raise TargetError(f"{path}: expected COCO's 'categories', each with a 'name': {shown(error)}") from error
    wnid_of = {target.names[0]: target.wnid for target in _lines(_COCO_SYNSETS.read_text(encoding="utf-8"))}
    return [TargetClass(str(name), (str(name),), wnid_of.get(name, "")) for name in names]


def _lines(text: str) -> list[TargetClass]:
    lines = (line.strip() for line in text.splitlines())
    return [_parse(line) for line in lines if line and line != "#" and not line.startswith("# ")]


def _parse(line: str) -> TargetClass:
    if wnid := _WNID.match(line):
        names = tuple(name.strip() for name in line[wnid.end() :].split(",") if name.strip())
        return TargetClass(wnid[0], names, wnid[0])
    name = next(match["name"] for form in _NAME_FORMS if (match := form.fullmatch(line)))
    return TargetClass(line, (name.replace("_", " "),))
