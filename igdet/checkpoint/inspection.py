"""What a checkpoint is, in lines for people."""

from collections import Counter
from collections.abc import Mapping

from tabulate import tabulate
from torch import Tensor

from igdet.checkpoint.fit import describe_trunk, part_of
from igdet.checkpoint.library_weights import card_of, is_of_library
from igdet.checkpoint.names import is_counter
from igdet.checkpoint.weights_file import WeightsFile, open_weights
from igdet.formats.catalog import PREFIX, WEIGHTS, full_name, in_words
from igdet.formats.origin import Origin
from igdet.utils.messages import first_of, printable

_NAMES_SHOWN = 5


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
        "hash": weights.hash,
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
