"""What the catalog holds and what a checkpoint is, in tables and lines for people."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tabulate import tabulate
from torch import Tensor

from igdet.checkpoint.catalog import PREFIX, WEIGHTS, Publication, Weights, digits_in, full_name
from igdet.checkpoint.download import cached_path
from igdet.checkpoint.fit import describe_trunk, part_of
from igdet.checkpoint.library_weights import card_of, in_words, is_of_library
from igdet.checkpoint.names import is_counter
from igdet.checkpoint.weights_file import WeightsFile, open_weights
from igdet.modeling.origin import TORCHVISION, Origin
from igdet.modeling.resnet_names import FAIR_RESNEXT, MSRA
from igdet.modeling.torchvision_networks import cached_file, hashtag_weights
from igdet.utils.messages import first_of, printable

INPUTS = {
    TORCHVISION: "RGB, torchvision's mean and std",
    MSRA: "BGR, Caffe's mean, std 1; stride in the 1x1",
    FAIR_RESNEXT: "BGR, Caffe's mean, std 57.375 57.12 58.395",
}
_NAMES_SHOWN = 5


def list_weights() -> str:
    """The catalog as a table for a terminal."""
    rows = [
        (name, w.backbone, in_words(w.accuracy), w.publication.licence, "yes" if cached_path(w).is_file() else "")
        for name, w in WEIGHTS.items()
    ]
    others = [
        (name, "torchvision", in_words(card.accuracy), card.licence, "yes" if cached_file(card.source) else "")
        for name, card in hashtag_weights().items()
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


def hash_of(weights: Weights) -> str:
    """The published hash."""
    return f"{weights.publication.algorithm} {weights.digits}" if weights.digits else "not published"


def _in_full() -> str:
    rows = [
        (
            f"`{PREFIX}{name}`",
            w.backbone,
            f"[file]({w.url})",
            hash_of(w),
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
            f"[file]({card.source})",
            f"sha256 {digits_in(card.source)}",
            " x ".join(map(str, card.crop)),
            in_words(card.accuracy),
            f"[licence]({card.licence})",
        )
        for name, card in hashtag_weights().items()
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


def inspect_weights(name: str, key: str = "") -> str:
    """Describe a checkpoint.

    Args:
        name: a file, or any name that `open_weights` takes; a name of the catalog also without igdet://.
        key: as `open_weights` takes it.

    Returns:
        Lines for a terminal.

    Raises:
        WeightsError: it cannot be read.
    """
    bare = name.removeprefix(PREFIX)
    file = open_weights(full_name(name), key)
    facts = {**_content(file), **(_published(bare) if bare in WEIGHTS else {})}
    if is_of_library(name):
        facts |= {"file": name, **card_of(name)}
    lines = [f"{what + ':':<12} {text}" for what, text in facts.items()]
    return "\n".join([*lines, "", _parts(file.tensors)])


def _parts(tensors: Mapping[str, Tensor]) -> str:
    """A table of tensors and their numbers by part of the model."""
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for name, tensor in tensors.items():
        if not is_counter(name):
            part = part_of(name)
            counts[part] += 1
            sizes[part] += tensor.numel()
    rows = [(part, number, f"{sizes[part]:,}") for part, number in counts.items()]
    return tabulate(rows, ("part", "tensors", "numbers"), disable_numparse=True)


def _content(file: WeightsFile) -> dict[str, str]:
    return {
        "file": f"{file.path} ({file.path.stat().st_size:,} bytes)" if file.path.is_file() else str(file.path),
        "format": file.naming,
        "weights": file.said_of_copies(),
        "network": describe_trunk(file.tensors),
        "images": _images(file.origin),
        "experts": " ".join(f"{key} {value}" for key, value in (file.mixture or {}).items()) or "none",
        "classifier": _classifier(file.tensors.get("classifier.weight")),
        "classes": "unknown" if file.class_names is None else first_of(file.class_names, _NAMES_SHOWN),
        "also": printable(", ".join(map(str, file.rest))) or "nothing",
    }


def _classifier(weight: Tensor | None) -> str:
    if weight is None:
        return "none"
    if weight.dim() < 2:
        return f"none: classifier.weight has the shape {list(weight.shape)}, not classes x features"
    return f"{weight.shape[0]} classes, {weight.shape[1]} features"


def _published(name: str) -> dict[str, str]:
    weights = WEIGHTS[name]
    publication = weights.publication
    facts = {
        "from": f"{weights.url} ({publication.source})",
        "hash": hash_of(weights),
        "trained on": publication.trained_on,
        "published": in_words(weights.accuracy),
        "licence": publication.licence,
        "note": weights.note,
    }
    return {what: text for what, text in facts.items() if text}


def _images(origin: Origin | None) -> str:
    if origin is None:
        return "unknown: the file does not say and its names do not tell"
    return origin.in_words()
