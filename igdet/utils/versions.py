"""What needs a newer library than igdet itself does, and the line that says so."""

import re
from importlib.metadata import version
from typing import NamedTuple

from tabulate import tabulate


class Need(NamedTuple):
    """The oldest release of a library with which something works.

    Attributes:
        package: its name on the package index.
        oldest: its (major, minor).
        why: what is wrong before, for a person.
    """

    package: str
    oldest: tuple[int, int]
    why: str


# docs/ENVIRONMENTS.md shows this table.
NEEDS = {
    "ONNX export": Need("torch", (2, 8), "older exporters cannot leave the sides of images open"),
    "CLASS Flowers102": Need("torchvision", (0, 22), "older ones do not name the classes"),
    "SOLVER.FSDP": Need("torch", (2, 9), "on CPUs 2.8 takes steps as many times too large as there are processes"),
    "MODEL.COMPILE with MODEL.BACKBONE.CHECKPOINT_ACTIVATIONS": Need(
        "torch", (2, 9), "older ones update a compiled block's running means twice: they were off by up to 92%"
    ),
    "the JPEG binding": Need("torchvision", (0, 21), "older ones load a libjpeg of their own, which takes its place"),
}


def too_old(feature: str) -> str:
    """Return why a feature cannot be used, in one line; empty where it can.

    Args:
        feature: a name of `NEEDS`.
    """
    need = NEEDS[feature]
    found = version(need.package)
    if release(found) >= need.oldest:
        return ""
    return f"{feature} needs {need.package} {_dotted(need.oldest)} or later, this is {found}: {need.why}"


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def release(text: str) -> tuple[int, ...]:
    """Return the numbers that a version starts with: (2, 8, 0) of "2.8.0a0+git123", none of "unknown"."""
    numbers = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(number) for number in numbers[0].split(".")) if numbers else ()


def needs_table() -> str:
    """Return `NEEDS` as Markdown, for the documents."""
    rows = [(feature, f"{need.package} {_dotted(need.oldest)}", need.why) for feature, need in NEEDS.items()]
    return tabulate(rows, ("what", "needs", "because"), tablefmt="pipe", disable_numparse=True)
