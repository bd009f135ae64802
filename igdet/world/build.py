"""Writing a whole world of a size: all parts or nothing."""

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from os import PathLike
from pathlib import Path

from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write, read_json
from igdet.world.coco import write_coco
from igdet.world.masks import panoptic_json, write_masks
from igdet.world.posts import write_loose, write_shards
from igdet.world.rendering import Source, encode_jpeg, make_items
from igdet.world.scene import Style, draw_image
from igdet.world.taxonomy import LEAVES, WNIDS, write_synsets

MANIFEST_NAME = "world.json"
WORLD_VERSION = 1  # to be raised whenever the same seed gives other images or tags
# WorldPart: writer, folder within the world, style, count.
WorldPart = tuple[Callable[[Path, Source, Style, int, int], None], str, Style, int]


@dataclass(frozen=True)
class WorldSize:
    """Counts of images and their sides.

    Attributes:
        posts_train, posts_val: posts in shards.
        loose_posts: posts as loose files with a table.
        clean_train, clean_val: images a class for pretraining on clean labels.
        target_train, target_val: images a class of the classification target.
        scenes_train, scenes_val: images with boxes, masks and keypoints.
        post_side: of posts and classification images, in pixels.
        scene_side: of scenes, in pixels.
    """

    posts_train: int
    posts_val: int
    loose_posts: int
    clean_train: int
    clean_val: int
    target_train: int
    target_val: int
    scenes_train: int
    scenes_val: int
    post_side: int = 64
    scene_side: int = 128

    @property
    def post_style(self) -> Style:
        """One or two things that fill most of the image."""
        return Style(self.post_side, sizes=(0.75, 1.0), clutter=3)

    @property
    def scene_style(self) -> Style:
        """Several things, small and large."""
        return Style(self.scene_side, sizes=(0.25, 0.7), clutter=12)


WORLD_SIZES: dict[str, WorldSize] = {
    # For tests: about two seconds on one core.
    "tiny": WorldSize(
        posts_train=160, posts_val=40, loose_posts=32,
        clean_train=4, clean_val=2, target_train=4, target_val=2, scenes_train=24, scenes_val=8,
    ),
    # For the demo. 80 target images a class keep top-1's standard error below sqrt(0.25 / (16 * 80)) = 1.4 points.
    "demo": WorldSize(
        posts_train=20_000, posts_val=1_000, loose_posts=500,
        clean_train=10, clean_val=20, target_train=20, target_val=80, scenes_train=1_500, scenes_val=250,
    ),
}  # fmt: skip


def make_labelled(source: Source, style: Style, index: int) -> bytes:
    """Make one JPEG file of class `index % len(WNIDS)`."""
    return encode_jpeg(draw_image([index % len(WNIDS)], style, source.generator(index)).image)


def write_class_folders(folder: Path, source: Source, style: Style, per_class: int, workers: int) -> None:
    """Write `per_class` images of each class to `folder/WNID/`."""
    for wnid in WNIDS:
        (folder / wnid).mkdir(parents=True)
    count = per_class * len(WNIDS)
    images = make_items(partial(make_labelled, source, style), count, source.part, workers)
    for index, image in enumerate(images):
        wnid = WNIDS[index % len(WNIDS)]
        (folder / wnid / f"{wnid}_{index // len(WNIDS):05d}.jpg").write_bytes(image)


class WorldError(UserError):
    """A folder that a world cannot be written to."""


def world_parts(size: WorldSize) -> dict[str, WorldPart]:
    """Return everything that a world of this size consists of, by the part's name."""
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
        "masks/train": (write_masks, "coco", scene, size.scenes_train),
        "masks/val": (write_masks, "coco", scene, size.scenes_val),
    }


def write_world(out: str | PathLike, size: WorldSize, seed: int, workers: int) -> bool:
    """Write a world; the same size and seed give the same files, whatever the number of workers.

    Args:
        out: the world's folder; appears when everything is written.
        size: of the world.
        seed: >= 0.
        workers: number of processes.

    Returns:
        False when this very world is there already, and nothing was done; a world that was written before there were
        label maps gets them.

    Raises:
        WorldError: something else is there.
    """
    out = Path(out)
    manifest = {"world_version": WORLD_VERSION, "seed": seed, "size": asdict(size)}
    if out.exists():
        _check_same_world(out, manifest)
        return _add_masks(out, size, seed, workers)
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


def _add_masks(out: Path, size: WorldSize, seed: int, workers: int) -> bool:
    parts = {name: part for name, part in world_parts(size).items() if part[0] is write_masks}
    missing = [
        name for name, (_, folder, *_) in parts.items() if not panoptic_json(out / folder, Path(name).name).exists()
    ]
    for name in missing:
        write, folder, style, count = parts[name]
        write(out / folder, Source(seed, name), style, count, workers)
    return bool(missing)


def _check_same_world(out: Path, manifest: dict) -> None:
    path = out / MANIFEST_NAME
    if not path.is_file():
        raise WorldError(f"{out} exists and holds no world ({MANIFEST_NAME} is missing); name another folder")
    found = read_json(path, "the record of a world, an object; remove the folder or name another one")
    different = sorted(key for key in manifest if found.get(key) != manifest[key])
    if different:
        raise WorldError(f"{out} holds a world of another {' and '.join(different)}; remove it or name another folder")
