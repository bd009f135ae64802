"""Measures how well planted crops, flips and edits of real pictures are found among other pictures.

  python tools/benchmarks/duplicates.py FOLDER --queries 300 --others 5000
  python tools/benchmarks/duplicates.py FOLDER --config-file CONFIG --weights WEIGHTS     R-MAC instead of PDQ

Some pictures of the folder are the evaluation set; one edit of each kind of every one of them, and other pictures, are
the training set. A pair counts as right when it is a picture and its own edit: duplicates that the folder holds by
itself count as wrong. Nothing is left on the disk.
"""

import argparse
import io
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from igdet.curation.duplicates.finding import find_copies, find_neighbours
from igdet.curation.duplicates.image_sets import PictureSet, open_pictures
from igdet.curation.duplicates.result import Request
from igdet.curation.duplicates.scanning import Progress
from igdet.formats.images import open_image
from igdet.utils.errors import one_line_errors

PRECISIONS = (0.5, 0.9, 0.99)  # R-MAC has no threshold of its own: recall is reported at the scores that give these

Edit = Callable[[Image.Image, np.random.Generator], Image.Image]


def crop(area: float) -> Edit:
    """An edit that keeps a share of the area, 0..1, somewhere in the picture."""

    def edit(picture: Image.Image, random: np.random.Generator) -> Image.Image:
        width, height = (max(1, round(side * math.sqrt(area))) for side in picture.size)
        left, top = random.integers(picture.width - width + 1), random.integers(picture.height - height + 1)
        return picture.crop((left, top, left + width, top + height))

    return edit


def overlay(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """An edit that writes a line over a bar of a seventh of the height."""
    edited, bar = picture.copy(), max(1, picture.height // 7)
    top = int(random.integers(picture.height - bar + 1))
    draw = ImageDraw.Draw(edited)
    draw.rectangle((0, top, picture.width, top + bar), fill="black")
    draw.text((2, top), "look at this", fill="white", font_size=max(1, round(0.8 * bar)))
    return edited


# What is done, and the quality of the JPEG file afterwards.
EDITS: dict[str, tuple[Edit, int]] = {
    "crop to 90%": (crop(0.9), 90),
    "crop to 70%": (crop(0.7), 90),
    "crop to 50%": (crop(0.5), 90),
    "mirrored": (lambda picture, _: ImageOps.mirror(picture), 90),
    "JPEG 30": (lambda picture, _: picture, 30),
    "half the size": (lambda picture, _: ImageOps.scale(picture, 0.5), 90),
    "text overlay": (overlay, 90),
    "brighter by 40%": (lambda picture, _: ImageEnhance.Brightness(picture).enhance(1.4), 90),
}


@dataclass(frozen=True)
class Planted:
    """Reads a row of the training set: the edits of the queries, one kind after the other, then the other pictures."""

    pictures: PictureSet
    queries: np.ndarray  # rows of the pictures
    others: np.ndarray
    seed: int

    def __call__(self, row: int) -> bytes:
        """Give a picture file."""
        kind, query = divmod(row, len(self.queries))
        if kind >= len(EDITS):
            return self.pictures.read(int(self.others[row - len(EDITS) * len(self.queries)]))
        edit, quality = list(EDITS.values())[kind]
        encoded = io.BytesIO()
        with open_image(io.BytesIO(self.pictures.read(int(self.queries[query])))) as picture:
            edited = edit(picture.convert("RGB"), np.random.default_rng((self.seed, row)))
        edited.save(encoded, "JPEG", quality=quality)
        return encoded.getvalue()


def plant(pictures: PictureSet, queries: int, others: int, seed: int) -> tuple[PictureSet, PictureSet]:
    """Choose pictures at random and edit some of them.

    Returns:
        the evaluation set and the training set; an edit's id is "KIND:" and the id of its original.
    """
    rows = np.random.default_rng(seed).permutation(len(pictures))[: queries + others]
    chosen, rest = rows[:queries], rows[queries:]
    names = pictures.ids.take(pa.array(chosen))
    ids = [f"{kind}:{name}" for kind in EDITS for name in names.to_pylist()]
    ids += pictures.ids.take(pa.array(rest)).to_pylist()
    evaluation = PictureSet(names, lambda row: pictures.read(int(chosen[row])))
    return evaluation, PictureSet(pa.array(ids, pa.string()), Planted(pictures, chosen, rest, seed))


def report(pairs: pa.Table, queries: int, name: str) -> None:
    """Print recall of each edit, over all of them, and precision."""
    rows = zip(pairs["query"].to_pylist(), pairs["match"].to_pylist(), strict=True)
    found = Counter(match.partition(":")[0] for query, match in rows if match.partition(":")[2] == query)
    print(f"\n{name}: {len(pairs):,} pairs, precision {found.total() / max(1, len(pairs)):.1%}")
    for kind in EDITS:
        print(f"  recall of {kind:<16}{found[kind] / queries:7.1%}")
    print(f"  {'recall of all':<26}{found.total() / queries / len(EDITS):7.1%}")


def at_precision(pairs: pa.Table, precision: float) -> pa.Table:
    """Keep the longest beginning of the list, best pairs first, that is right with this share."""
    rows = zip(pairs["query"].to_pylist(), pairs["match"].to_pylist(), strict=True)
    right = np.array([match.partition(":")[2] == query for query, match in rows], dtype=bool)
    good = np.flatnonzero(np.cumsum(right) >= precision * np.arange(1, len(right) + 1))
    return pairs.slice(0, good[-1] + 1 if len(good) else 0)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="pictures")
    parser.add_argument("--queries", type=int, default=300, help="pictures that are edited")
    parser.add_argument("--others", type=int, default=5000, help="pictures beside them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=Request.side, help="R-MAC: longer side of the pictures")
    parser.add_argument("--config-file", help="R-MAC: config of the network")
    parser.add_argument("--weights", default="", help="R-MAC: its weights")
    parser.add_argument("--scratch", type=Path, help="R-MAC: folder for features in the meantime")
    return parser.parse_args()


def measure(args: argparse.Namespace) -> None:
    """Plant, find and report."""
    evaluation, training = plant(open_pictures(args.folder), args.queries, args.others, args.seed)
    print(f"{len(evaluation):,} pictures looked for among {len(training):,}")
    request = Request(args.folder, side=args.side)
    if not args.config_file:
        found = find_copies(request, training, evaluation, Progress())
        report(found.pairs, len(evaluation), f"PDQ, at most {request.max_distance} of 256 bits")
        return
    from igdet.curation.duplicates.rmac import RmacDescriber

    describer = RmacDescriber.from_config(args.config_file, args.weights)
    pairs = find_neighbours(request, training, evaluation, describer, args.scratch, Progress()).pairs
    report(pairs, len(evaluation), f"R-MAC, {request.neighbours} neighbours")
    for precision in PRECISIONS:
        best = at_precision(pairs, precision)
        lowest = f"score >= {best['score'][-1].as_py():.3f}" if len(best) else "no score"
        report(best, len(evaluation), f"R-MAC, {lowest}")


def main() -> None:
    """Measure; errors are one line."""
    args = parse_args()
    with one_line_errors():
        measure(args)


if __name__ == "__main__":
    main()
