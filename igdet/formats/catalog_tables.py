"""What the catalog holds, and torchvision of hashtags, in tables for people."""

from collections.abc import Sequence

from tabulate import tabulate

from igdet.formats.catalog import (
    PREFIX,
    SWAG_LICENCE,
    TORCHVISION_FOLDER,
    TORCHVISION_HASHTAGS,
    WEIGHTS,
    Listed,
    Publication,
    digits_in,
    in_words,
)
from igdet.formats.origin import FAIR_RESNEXT, MSRA, TORCHVISION
from igdet.utils.cache import torch_hub_file

INPUTS = {
    TORCHVISION: "RGB, torchvision's mean and std",
    MSRA: "BGR, Caffe's mean, std 1; stride in the 1x1",
    FAIR_RESNEXT: "BGR, Caffe's mean, std 57.375 57.12 58.395",
}


def list_weights() -> str:
    """The catalog as a table for a terminal."""
    rows = [
        (name, w.backbone, in_words(w.accuracy), w.publication.licence, "yes" if w.cached_path.is_file() else "")
        for name, w in WEIGHTS.items()
    ]
    others = [
        (name, "torchvision", _top(w), SWAG_LICENCE, "yes" if torch_hub_file(w.file_name) else "")
        for name, w in TORCHVISION_HASHTAGS.items()
    ]
    header = ("network", "published", "licence", "cached")
    return "\n\n".join(
        _table((prefix, *header), part, "simple") for prefix, part in (("igdet://", rows), ("torchvision://", others))
    )


def documents_blocks() -> dict[str, str]:
    """The catalog as Markdown, by the name of the generated block that holds it."""
    return {
        "weights-in-full": _in_full(),
        "weights-publications": _publications(),
        "weights-torchvision": _of_torchvision(),
    }


def _in_full() -> str:
    rows = [
        (
            f"`{PREFIX}{name}`",
            w.backbone,
            f"[file]({w.url})",
            w.hash,
            INPUTS.get(w.origin) or w.origin.in_words(),
            in_words(w.accuracy),
            w.note,
        )
        for name, w in WEIGHTS.items()
    ]
    return _table(("MODEL.WEIGHTS", "network", "from", "hash", "images", "published", "note"), rows)


def _of_torchvision() -> str:
    rows = [
        (
            f"`torchvision://{name}`",
            f"[file]({TORCHVISION_FOLDER}/{w.file_name})",
            f"sha256 {digits_in(w.file_name)}",
            f"{w.crop} x {w.crop}",
            _top(w),
            f"[licence]({SWAG_LICENCE})",
        )
        for name, w in TORCHVISION_HASHTAGS.items()
    ]
    return _table(("MODEL.WEIGHTS", "from", "hash", "pixels", "published", "licence"), rows)


def _publications() -> str:
    names: dict[Publication, list[str]] = {}
    for name, weights in WEIGHTS.items():
        names.setdefault(weights.publication, []).append(f"`{name}`")
    rows = [(", ".join(members), p.trained_on, p.source, p.licence) for p, members in names.items()]
    return _table(("weights", "trained on", "files and accuracies from", "licence"), rows)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], style: str = "pipe") -> str:
    return tabulate(rows, header, tablefmt=style, disable_numparse=True)


def _top(weights: Listed) -> str:
    return in_words(dict(zip(("top-1", "top-5"), weights.accuracy, strict=True)))
