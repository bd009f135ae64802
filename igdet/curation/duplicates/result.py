"""What was searched and what was found, kept in a folder."""

import csv
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from igdet.curation.duplicates.errors import DuplicatesError
from igdet.curation.duplicates.pairs import read_pairs, write_pairs
from igdet.curation.duplicates.perceptual import MAX_DISTANCE
from igdet.curation.duplicates.picture_set import PictureSet, open_pictures
from igdet.curation.duplicates.scanning import Skipped
from igdet.utils.csv_files import write_csv
from igdet.utils.files import atomic_write

PAIRS_NAME = "pairs.parquet"
SKIPPED_NAME = "skipped.csv"  # a line for each picture left out
REQUEST_NAME = "find.json"  # what was searched and how; written last

_LIMITS = {  # setting -> the least and the most that it may be
    "max_distance": (0, 255),
    "neighbours": (1, math.inf),
    "min_score": (-1, 1),
    "side": (1, math.inf),
    "processes": (1, math.inf),
    "max_bad_share": (0, 1),
}


@dataclass(frozen=True)
class Request:
    """What is searched, and how.

    Attributes:
        training: path of the training pictures; see `open_pictures`.
        evaluation: path of the evaluation pictures; "" looks for pairs within the training pictures.
        training_root: what the images of a table of training pictures are relative to.
        evaluation_root: likewise.
        method: "pdq" or "rmac".
        config_file: R-MAC: config of the network.
        weights: R-MAC: its weights; "" for those that the config names.
        max_distance: PDQ: bits, 0..255, that the hashes of a pair may differ in.
        neighbours: R-MAC: k, how many training pictures are listed for each picture; 21 is the paper's.
        min_score: R-MAC: cosine, -1..1; pairs with a smaller one are not listed.
        side: R-MAC: pixels of the longer side, to which pictures are resized.
        processes: that read pictures.
        max_bad_share: share of the pictures, 0..1, that may be bad.

    Raises:
        DuplicatesError: a number is out of its range.
    """

    training: str
    evaluation: str = ""
    training_root: str = ""
    evaluation_root: str = ""
    method: str = "pdq"
    config_file: str = ""
    weights: str = ""
    max_distance: int = MAX_DISTANCE
    neighbours: int = 21
    min_score: float = -1.0
    side: int = 224
    processes: int = 1
    max_bad_share: float = 0.05

    def __post_init__(self):
        for name, (least, most) in _LIMITS.items():
            value = getattr(self, name)
            if not least <= value <= most:
                expected = f"{least} or more" if most == math.inf else f"{least} to {most}"
                raise DuplicatesError(f"{name.replace('_', ' ')} is {value}; expected {expected}")

    def open_training(self) -> PictureSet:
        """Open the training pictures."""
        return open_pictures(self.training, self.training_root)

    def open_queries(self) -> PictureSet:
        """Open the pictures that are looked for: those of the evaluation, or else the training pictures."""
        return open_pictures(self.evaluation, self.evaluation_root) if self.evaluation else self.open_training()


class Found(NamedTuple):
    """The result of a search: a list of pairs, and the pictures left out."""

    pairs: pa.Table
    skipped: list[Skipped]


def write_found(folder: Path, request: Request, found: Found) -> None:
    """Write the list of pairs, the pictures left out and the request, which says that the others are complete."""
    write_pairs(folder / PAIRS_NAME, found.pairs)
    write_csv(folder / SKIPPED_NAME, Skipped._fields, found.skipped)
    with atomic_write(folder / REQUEST_NAME, "w") as file:
        json.dump(asdict(request), file, indent=1)


def read_skipped(folder: Path) -> list[str]:
    """Read the ids of the pictures that a finished search left out, of both sets."""
    with (folder / SKIPPED_NAME).open(newline="", encoding="utf-8") as file:
        return [row[Skipped._fields[0]] for row in csv.DictReader(file)]


def read_found(folder: Path) -> tuple[Request, pa.Table]:
    """Read what was searched, and the list of pairs.

    Raises:
        DuplicatesError: no search has ended there.
    """
    path = folder / REQUEST_NAME
    try:
        return Request(**json.loads(path.read_text(encoding="utf-8"))), read_pairs(folder / PAIRS_NAME)
    except (OSError, TypeError, json.JSONDecodeError) as error:
        raise DuplicatesError(f"{path}: expected the folder of a finished search: {error}") from error
