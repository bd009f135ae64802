"""Writing a whole world: all parts or nothing."""

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from os import PathLike
from pathlib import Path

from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write, read_json
from igdet.world.coco import write_coco
from igdet.world.folders import write_class_folders
from igdet.world.posts import write_loose, write_shards
from igdet.world.rendering import Source
from igdet.world.scene import Style
from igdet.world.sizes import WorldSize
from igdet.world.synsets import write_synsets
from igdet.world.taxonomy import LEAVES

MANIFEST_NAME = "world.json"
WORLD_VERSION = 1  # to be raised whenever the same seed gives other pictures or tags

# Part: writer, folder within the world, style, count.
Part = tuple[Callable[[Path, Source, Style, int, int], None], str, Style, int]


class WorldError(UserError):
    """A folder that a world cannot be written to."""


def world_parts(size: WorldSize) -> dict[str, Part]:
    """Give everything that a world of this size consists of, by the part's name."""
    post, scene = size.post_style, size.scene_style
    return {
        "posts/train": (write_shards, "posts/train", post, size.posts_train),
        "posts/val": (write_shards, "posts/val", post, size.posts_val),
        "loose": (write_loose, "loose", post, size.loose_posts),
        "clean/train": (write_class_folders, "clean/train", post, size.clean_train),
        "clean/val": (write_class_folders, "clean/val", post, size.clean_val),
        "target/train": (write_class_folders, "target/train", post, size.target_train),
        "target/val": (write_class_folders, "target/val", post, size.target_val),
        "coco/train": (write_coco, "coco", scene, size.scenes_train),
        "coco/val": (write_coco, "coco", scene, size.scenes_val),
    }


def write_world(out: str | PathLike, size: WorldSize, seed: int, workers: int) -> bool:
    """Write a world; the same size and seed give the same files, whatever the number of workers.

    Args:
        out: the world's folder; appears when everything is written.
        size: of the world.
        seed: >= 0.
        workers: number of processes.

    Returns:
        False when this very world stands there already, and nothing was done.

    Raises:
        WorldError: something else stands there.
    """
    out = Path(out)
    manifest = {"world_version": WORLD_VERSION, "seed": seed, "size": asdict(size)}
    if out.exists():
        _check_same_world(out, manifest)
        return False
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        for name, (write, folder, style, count) in world_parts(size).items():
            write(unfinished / folder, Source(seed, name), style, count, workers)
        for folder in ("clean", "target"):
            write_synsets(unfinished / folder / "synsets.txt", LEAVES)
        with atomic_write(unfinished / MANIFEST_NAME, "w") as file:
            json.dump(manifest, file, indent=2)
        unfinished.chmod(0o755)  # mkdtemp gives 0700: other readers must see the result
        unfinished.rename(out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)  # is gone after the rename
    return True


def _check_same_world(out: Path, manifest: dict) -> None:
    path = out / MANIFEST_NAME
    if not path.is_file():
        raise WorldError(f"{out} exists and holds no world ({MANIFEST_NAME} is missing); name another folder")
    found = read_json(path, "the record of a world, an object; remove the folder or name another one")
    different = sorted(key for key in manifest if found.get(key) != manifest[key])
    if different:
        raise WorldError(f"{out} holds a world of another {' and '.join(different)}; remove it or name another folder")
