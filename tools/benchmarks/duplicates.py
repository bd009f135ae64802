"""Measures how well planted crops, flips and edits of real images are found among other images.

  python tools/benchmarks/duplicates.py FOLDER --queries 300 --others 5000
  python tools/benchmarks/duplicates.py FOLDER --config-file CONFIG --weights WEIGHTS     R-MAC instead of PDQ

Some images of the folder are the evaluation set; one edit of each kind of every one of them, and other images, are
the training set. A pair counts as right when it is an image and its own edit: duplicates that the folder holds by
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
from record import report as write_report
from record import table

from igdet.curation.duplicates.finding import find_copies, find_neighbours
from igdet.curation.duplicates.image_sets import ImageSet, open_image_set
from igdet.curation.duplicates.result import Request
from igdet.curation.duplicates.scanning import Progress
from igdet.formats.images import open_image
from igdet.utils.errors import one_line_errors

PRECISIONS = (0.5, 0.9, 0.99)  # R-MAC has no threshold of its own: recall is reported at the scores that give these

Edit = Callable[[Image.Image, np.random.Generator], Image.Image]


def crop(area: float) -> Edit:
    """An edit that keeps a share of the area, 0..1, somewhere in the image."""

    def edit(image: Image.Image, random: np.random.Generator) -> Image.Image:
        width, height = (max(1, round(side * math.sqrt(area))) for side in image.size)
        left, top = random.integers(image.width - width + 1), random.integers(image.height - height + 1)
        return image.crop((left, top, left + width, top + height))

    return edit


def overlay(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """An edit that writes a line over a bar of a seventh of the height."""
    edited, bar = image.copy(), max(1, image.height // 7)
    top = int(random.integers(image.height - bar + 1))
    draw = ImageDraw.Draw(edited)
    draw.rectangle((0, top, image.width, top + bar), fill="black")
    draw.text((2, top), "look at this", fill="white", font_size=max(1, round(0.8 * bar)))
    return edited


# What is done, and the quality of the JPEG file afterwards.
EDITS: dict[str, tuple[Edit, int]] = {
    "crop to 90%": (crop(0.9), 90),
    "crop to 70%": (crop(0.7), 90),
    "crop to 50%": (crop(0.5), 90),
    "mirrored": (lambda image, _: ImageOps.mirror(image), 90),
    "JPEG 30": (lambda image, _: image, 30),
    "half the size": (lambda image, _: ImageOps.scale(image, 0.5), 90),
    "text overlay": (overlay, 90),
    "brighter by 40%": (lambda image, _: ImageEnhance.Brightness(image).enhance(1.4), 90),
}


@dataclass(frozen=True)
class Planted:
    """Reads a row of the training set: the edits of the queries, one kind after the other, then the other images."""

    images: ImageSet
    queries: np.ndarray  # rows of the images
    others: np.ndarray
    seed: int

    def __call__(self, row: int) -> bytes:
        """Return an image file."""
        kind, query = divmod(row, len(self.queries))
        if kind >= len(EDITS):
            return self.images.read(int(self.others[row - len(EDITS) * len(self.queries)]))
        edit, quality = list(EDITS.values())[kind]
        encoded = io.BytesIO()
        with open_image(io.BytesIO(self.images.read(int(self.queries[query])))) as image:
            edited = edit(image.convert("RGB"), np.random.default_rng((self.seed, row)))
        edited.save(encoded, "JPEG", quality=quality)
        return encoded.getvalue()


def plant(images: ImageSet, queries: int, others: int, seed: int) -> tuple[ImageSet, ImageSet]:
    """Choose images at random and edit some of them.

    Returns:
        the evaluation set and the training set; an edit's id is "KIND:" and the id of its original.
    """
    rows = np.random.default_rng(seed).permutation(len(images))[: queries + others]
    chosen, rest = rows[:queries], rows[queries:]
    names = images.ids.take(pa.array(chosen))
    ids = [f"{kind}:{name}" for kind in EDITS for name in names.to_pylist()]
    ids += images.ids.take(pa.array(rest)).to_pylist()
    evaluation = ImageSet(names, lambda row: images.read(int(chosen[row])))
    return evaluation, ImageSet(pa.array(ids, pa.string()), Planted(images, chosen, rest, seed))


def report(pairs: pa.Table, queries: int, name: str) -> list[float]:
    """Print recall of each edit, over all of them, and precision; return them in this order, in percent."""
    rows = zip(pairs["query"].to_pylist(), pairs["match"].to_pylist(), strict=True)
    found = Counter(match.partition(":")[0] for query, match in rows if match.partition(":")[2] == query)
    print(f"\n{name}: {len(pairs):,} pairs, precision {found.total() / max(1, len(pairs)):.1%}")
    for kind in EDITS:
        print(f"  recall of {kind:<16}{found[kind] / queries:7.1%}")
    print(f"  {'recall of all':<26}{found.total() / queries / len(EDITS):7.1%}")
    shares = [*(found[kind] / queries for kind in EDITS), found.total() / queries / len(EDITS)]
    return [100 * share for share in (*shares, found.total() / max(1, len(pairs)))]


def at_precision(pairs: pa.Table, precision: float) -> pa.Table:
    """Keep the longest beginning of the list, best pairs first, that is right with this share."""
    rows = zip(pairs["query"].to_pylist(), pairs["match"].to_pylist(), strict=True)
    right = np.array([match.partition(":")[2] == query for query, match in rows], dtype=bool)
    good = np.flatnonzero(np.cumsum(right) >= precision * np.arange(1, len(right) + 1))
    return pairs.slice(0, good[-1] + 1 if len(good) else 0)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="images")
    parser.add_argument("--queries", type=int, default=300, help="images that are edited")
    parser.add_argument("--others", type=int, default=5000, help="images beside them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=Request.side, help="R-MAC: longer side of the images")
    parser.add_argument("--config-file", help="R-MAC: config of the network")
    parser.add_argument("--weights", default="", help="R-MAC: its weights")
    parser.add_argument("--scratch", type=Path, help="R-MAC: folder for features in the meantime")
    return parser.parse_args()


def measure(args: argparse.Namespace) -> None:
    """Plant, find, report and record."""
    evaluation, training = plant(open_image_set(args.folder), args.queries, args.others, args.seed)
    print(f"{len(evaluation):,} images looked for among {len(training):,}")
    request = Request(args.folder, side=args.side)
    if not args.config_file:
        found = find_copies(request, training, evaluation, Progress())
        name = f"PDQ, at most {request.max_distance} of 256 bits"
        record("duplicates_pdq", {name: report(found.pairs, len(evaluation), name)})
        return
    from igdet.curation.duplicates.rmac import RmacDescriber

    describer = RmacDescriber.from_config(args.config_file, args.weights)
    pairs = find_neighbours(request, training, evaluation, describer, args.scratch, Progress()).pairs
    name = f"R-MAC, {request.neighbours} neighbours"
    columns = {name: report(pairs, len(evaluation), name)}
    for precision in PRECISIONS:
        best = at_precision(pairs, precision)
        lowest = f"score >= {best['score'][-1].as_py():.3f}" if len(best) else "no score"
        columns[f"R-MAC at {precision:.0%}, {lowest}"] = report(best, len(evaluation), f"R-MAC, {lowest}")
    record("duplicates_rmac", columns)


def record(name: str, columns: dict[str, list[float]]) -> None:
    """Write the result file: a row an edit, then all and the precision; a column a list of pairs."""
    rows = zip([*EDITS, "all", "precision"], *columns.values(), strict=True)
    write_report(name, recall=table(["recall of", *columns], rows, ["", *[".1f"] * len(columns)]))


def main() -> None:
    """Measure; errors are one line."""
    args = parse_args()
    with one_line_errors():
        measure(args)


if __name__ == "__main__":
    main()
