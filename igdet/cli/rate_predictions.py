"""Accuracy when people look again: rectified by raters, by ReaL labels, or bounded by near-duplicates.

igdet rate_predictions export DIR --predictions P --images FOLDER     pages for raters
igdet rate_predictions merge DIR ratings-*.json                         plain and rectified top-1
igdet rate_predictions real P                                           by ReaL labels (ImageNet only)
igdet rate_predictions bound DIR --predictions P --judged judged-*.csv  lower bound by near-duplicates
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from igdet.curation.duplicates import command as duplicates
from igdet.data.images.decoding import open_croppable
from igdet.data.readers.image_folder import read_class_names, read_image_folder
from igdet.evaluation.rating import command
from igdet.evaluation.rating.pages import LabelledImages
from igdet.formats.class_lists import read_readable_names
from igdet.utils.command_lines import as_started, main_of


def parse_args() -> dict:
    """Read the command line: "run", and what it is called with."""
    parser = argparse.ArgumentParser(
        description=as_started(__doc__), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    exports = _add(commands, "export", run_export, "write pages for raters")
    merges = _add(commands, "merge", command.merge, "print plain and rectified top-1")
    reals = _add(commands, "real", command.real, "print top-1 by ReaL labels")
    bounds = _add(commands, "bound", duplicates.bound, "count evaluation images with near-duplicates as wrong")
    for added in (exports, merges, bounds):
        added.add_argument("folder", type=Path, help="of the pages; bound: of the near-duplicates")
    for added in (exports, bounds):
        added.add_argument("--predictions", required=True, help="predictions.parquet of an evaluation")
    exports.add_argument("--images", required=True, help="the folder of class folders that was evaluated")
    exports.add_argument("--classes", default="", help="file of the class folders, if not all were evaluated")
    exports.add_argument("--names", default="", help="file of class folder, tab, name to show raters, or timm:lemmas")
    exports.add_argument("--sample", type=int, help="how many disagreements (default all)")
    exports.add_argument("--seed", type=int, default=0, help="of their order")
    merges.add_argument("ratings", nargs="+", help="files saved by the raters")
    reals.add_argument("predictions", help="predictions.parquet of an evaluation")
    bounds.add_argument("--judged", nargs="*", help="saved verdicts; without them every pair is a duplicate")
    return vars(parser.parse_args())


def _add(commands: Any, name: str, run: Callable, summary: str) -> argparse.ArgumentParser:
    added = commands.add_parser(name, help=summary)
    added.set_defaults(run=run)
    return added


def run_export(folder: Path, images: str, classes: str, names: str, **choices: Any) -> None:
    """Open the images, and have the pages written."""
    folders = read_class_names(images, classes)
    readable = read_readable_names(names, folders)
    records = read_image_folder(images, folders)
    rows = {records.image_id(row): row for row in range(len(records))}
    labels = {name: int(records.labels(row)[0]) for name, row in rows.items()}

    def read(name: str) -> np.ndarray:
        return open_croppable(records.read(rows[name]), "RGB", name).whole()

    command.export(folder, LabelledImages(folders, readable, labels, read), **choices)


main = main_of(parse_args)


if __name__ == "__main__":
    sys.exit(main())
