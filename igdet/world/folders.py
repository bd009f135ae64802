"""The world's classification sets: one folder a class, clean labels, one thing a picture."""

from functools import partial
from pathlib import Path

from igdet.world.rendering import Source, encode_jpeg, make_items
from igdet.world.scene import Style, draw_picture
from igdet.world.taxonomy import WNIDS


def make_labelled(source: Source, style: Style, index: int) -> bytes:
    """Make one JPEG file of class `index % len(WNIDS)`."""
    return encode_jpeg(draw_picture([index % len(WNIDS)], style, source.generator(index)).image)


def write_class_folders(folder: Path, source: Source, style: Style, per_class: int, workers: int) -> None:
    """Write `per_class` pictures of each class to `folder/WNID/`."""
    for wnid in WNIDS:
        (folder / wnid).mkdir(parents=True)
    count = per_class * len(WNIDS)
    pictures = make_items(partial(make_labelled, source, style), count, source.part, workers)
    for index, picture in enumerate(pictures):
        wnid = WNIDS[index % len(WNIDS)]
        (folder / wnid / f"{wnid}_{index // len(WNIDS):05d}.jpg").write_bytes(picture)
