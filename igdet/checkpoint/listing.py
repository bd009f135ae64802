"""The catalog as tables: for a terminal with what is in the cache, for the documents in full and in short."""

from tabulate import tabulate

from igdet.checkpoint.catalog import PREFIX, WEIGHTS, Publication, Weights
from igdet.checkpoint.download import cached_path
from igdet.modeling.origin import TORCHVISION
from igdet.modeling.resnet_names import FAIR_RESNEXT, MSRA

INPUTS = {
    TORCHVISION: "RGB, torchvision's mean and std",
    MSRA: "BGR, Caffe's mean, std 1; stride in the 1x1",
    FAIR_RESNEXT: "BGR, Caffe's mean, std 57.375 57.12 58.395",
}


def list_weights() -> str:
    """The catalog as a table for a terminal."""
    rows = [
        (name, w.backbone, accuracy_of(w), w.publication.licence, "yes" if cached_path(w).is_file() else "")
        for name, w in WEIGHTS.items()
    ]
    return _table(("igdet://", "network", "published", "licence", "cached"), rows, "simple")


def documents_blocks() -> dict[str, str]:
    """The catalog as Markdown, by the name of the generated block that holds it."""
    return {"weights": _in_short(), "weights-in-full": _in_full(), "weights-publications": _publications()}


def accuracy_of(weights: Weights) -> str:
    """Published accuracies, in percent."""
    return ", ".join(f"{name} {value}" for name, value in weights.accuracy.items()) or "not published here"


def hash_of(weights: Weights) -> str:
    """The published hash."""
    return f"{weights.publication.algorithm} {weights.digits}" if weights.digits else "not published"


def _in_short() -> str:
    rows = [(f"`{PREFIX}{name}`", w.backbone, accuracy_of(w), w.publication.licence) for name, w in WEIGHTS.items()]
    return _table(("MODEL.WEIGHTS", "network", "published", "licence"), rows)


def _in_full() -> str:
    rows = [
        (
            f"`{PREFIX}{name}`",
            w.backbone,
            f"[file]({w.url})",
            hash_of(w),
            INPUTS.get(w.origin) or w.origin.in_words(),
            accuracy_of(w),
            w.note,
        )
        for name, w in WEIGHTS.items()
    ]
    return _table(("MODEL.WEIGHTS", "network", "from", "hash", "pictures", "published", "note"), rows)


def _publications() -> str:
    names: dict[Publication, list[str]] = {}
    for name, weights in WEIGHTS.items():
        names.setdefault(weights.publication, []).append(f"`{name}`")
    rows = [(", ".join(members), p.trained_on, p.source, p.licence) for p, members in names.items()]
    return _table(("weights", "trained on", "files and accuracies from", "licence"), rows)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]], style: str = "pipe") -> str:
    return tabulate(rows, header, tablefmt=style, disable_numparse=True)
