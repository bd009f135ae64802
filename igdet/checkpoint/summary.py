"""The short table of what was loaded, initialised and left."""

from collections import Counter
from collections.abc import Iterable

from tabulate import tabulate

from igdet.checkpoint.fitting import Fit
from igdet.checkpoint.key_maps import is_trunk
from igdet.modeling.trunk import bare_name

_HEADERS = ("part", "loaded", "initialised", "left in the file")
_PARTS = {"backbone": "feature pyramid"}  # what is left of a backbone without its trunk


def summarise_fit(fit: Fit) -> str:
    """Say what a file gave to a model.

    Args:
        fit: the match.

    Returns:
        a table of numbers of tensors by part of the model, then the modules that are new or left, by name.
    """
    columns = [Counter(map(part_of, names)) for names in (map(bare_name, fit.loaded), fit.initialised, fit.left)]
    parts = dict.fromkeys(part for column in columns for part in column)
    rows = [(part, *(column[part] for column in columns)) for part in parts]
    lists = {
        "New, from random numbers": fit.initialised,
        "Left in the file": fit.left,
        "Of these, in both but of different shapes": fit.misshapen,
    }
    lines = [f"{title}: {', '.join(_modules(names))}" for title, names in lists.items() if names]
    return "\n".join([tabulate(rows, headers=_HEADERS, tablefmt="github"), *lines])


def part_of(bare: str) -> str:
    """The trunk, or a name's first component as a person would call it."""
    first = bare.split(".")[0]
    return "trunk" if is_trunk(bare) else _PARTS.get(first, first)


def _modules(names: Iterable[str]) -> list[str]:
    """Names without their last component, each once: "classifier.weight" and "classifier.bias" are "classifier"."""
    return list(dict.fromkeys(name.rsplit(".", 1)[0] for name in names))
