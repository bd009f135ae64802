"""Weights in several files: an index such as model.safetensors.index.json says which of them holds which tensor."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from igdet.checkpoint.reading import read_payload
from igdet.formats.errors import UnreadableWeights
from igdet.utils.errors import UserError
from igdet.utils.files import read_json
from igdet.utils.messages import first_of, shown

INDEX = "model.safetensors.index.json"
_SUFFIX = ".index.json"
_EXPECTED = 'an index of shards, {"weight_map": {tensor: file beside it}}; download it again'
_NAMES_SHOWN = 3


def is_index(path: Path) -> bool:
    """Whether a file, by its name, lists the shards of a checkpoint."""
    return path.name.endswith(_SUFFIX)


def shards_of(index: Path) -> list[Path]:
    """Return the files that an index names, each once, whether they are there or not.

    Raises:
        UnreadableWeights: as `read_index`.
    """
    return [index.with_name(name) for name in dict.fromkeys(read_index(index).values())]


def read_index(path: Path) -> Mapping[str, str]:
    """Read an index.

    Args:
        path: a JSON file as Hugging Face's libraries write it beside the shards.

    Returns:
        Tensor -> name of the file that holds it, in the index' folder.

    Raises:
        UnreadableWeights: it cannot be read, or names a file elsewhere.
    """
    try:
        mapping = read_json(path, _EXPECTED).get("weight_map")
    except UserError as error:
        raise UnreadableWeights(str(error)) from error
    if not (isinstance(mapping, dict) and mapping):
        raise UnreadableWeights(f"{path}: its weight_map is {shown(mapping)}; expected {_EXPECTED}")
    elsewhere = [name for name in mapping.values() if not _is_plain(name)]
    if elsewhere:
        raise UnreadableWeights(f"{path}: it names {shown(elsewhere[0])}, which is no file beside it")
    return mapping


def _is_plain(name: object) -> bool:
    """An index is untrusted: it must not lead out of its folder."""
    return isinstance(name, str) and name not in ("", ".", "..") and not {"/", "\\", "\0"} & set(name)


def read_shards(index: Path) -> dict[str, Any]:
    """Read all shards of a checkpoint, each as `read_payload` does.

    Args:
        index: as `read_index` takes it; its shards are beside it.

    Returns:
        Tensors by name.

    Raises:
        UnreadableWeights: the index or a shard cannot be read, a shard is missing, or a tensor is not where the index
            says.
    """
    mapping = read_index(index)
    tensors: dict[str, Any] = {}
    for shard in shards_of(index):
        try:
            found = read_payload(shard)
        except FileNotFoundError as error:
            raise UnreadableWeights(f"{index} names {shard.name}, which is not beside it: put it there") from error
        absent = [name for name, file in mapping.items() if file == shard.name and name not in found]
        if absent:
            raise UnreadableWeights(
                f"{shard} does not hold {shown(first_of(absent, _NAMES_SHOWN))}, as {index.name} says: "
                "take both from the same version"
            )
        tensors |= found
    return tensors
