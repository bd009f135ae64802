"""What was searched and what was found, kept in a folder with the list of pairs."""

import csv
import json
import math
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from igdet.curation.duplicates.hamming import Hits
from igdet.curation.duplicates.image_sets import DuplicatesError, ImageSet, open_image_set
from igdet.curation.duplicates.perceptual import MAX_DISTANCE
from igdet.curation.duplicates.scanning import Skipped
from igdet.curation.pace import Step
from igdet.reporting.tables import write_csv
from igdet.utils.files import atomic_write

SCHEMA = pa.schema(
    [
        ("query", pa.string()),  # id of an evaluation image; within a training set, of one of the two
        ("match", pa.string()),  # id of a training image
        ("score", pa.float32()),  # at most 1, which is equality; of "pdq" the share of equal bits, of "rmac" the cosine
        ("method", pa.string()),  # "pdq" or "rmac"
    ]
)
PAIRS_NAME = "pairs.parquet"
SKIPPED_NAME = "skipped.csv"  # a line for each image left out
REQUEST_NAME = "find.json"  # what was searched and how; written last
_LIMITS = {  # setting -> the least and the most that it may be
    "max_distance": (0, 255),
    "neighbours": (1, math.inf),
    "min_score": (-1, 1),
    "side": (1, math.inf),
    "processes": (1, math.inf),
    "max_bad_share": (0, 1),
}


def pair_table(query_ids: pa.Array, match_ids: pa.Array, hits: Hits, method: str) -> pa.Table:
    """Name the pairs that a search has found.

    Args:
        query_ids: names of the images searched for.
        match_ids: names of the images searched.
        hits: rows of these.
        method: who found them.

    Returns:
        a table of `SCHEMA`, the best pairs first, and equally good ones by their names.
    """
    columns = [
        query_ids.take(pa.array(hits.queries)),
        match_ids.take(pa.array(hits.matches)),
        pa.array(hits.scores, pa.float32()),
        pa.repeat(method, len(hits.scores)),
    ]
    table = pa.table(columns, schema=SCHEMA)
    return table.sort_by([("score", "descending"), ("query", "ascending"), ("match", "ascending")])


def write_pairs(path: str | PathLike, pairs: pa.Table) -> None:
    """Write a list of pairs as Parquet."""
    with atomic_write(path) as file:
        pq.write_table(pairs, file)


def read_pairs(path: str | PathLike) -> pa.Table:
    """Read a list of pairs.

    Raises:
        DuplicatesError: there is no such list.
    """
    try:
        return pq.read_table(path, columns=SCHEMA.names).cast(SCHEMA)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise DuplicatesError(
            f"{path}: expected a list of pairs, columns {', '.join(SCHEMA.names)}: {error}"
        ) from error


@dataclass(frozen=True)
class Request:
    """What is searched, and how.

    Attributes:
        training: path of the training images; see `open_image_set`.
        evaluation: path of the evaluation images; "" looks for pairs within the training images.
        training_root: what the images of a table of training images are relative to.
        evaluation_root: likewise.
        method: "pdq" or "rmac".
        config_file: R-MAC: config of the network.
        weights: R-MAC: its weights; "" for those that the config names.
        max_distance: PDQ: bits, 0..255, that the hashes of a pair may differ in.
        neighbours: R-MAC: k, how many training images are listed for each image; 21 is the paper's.
        min_score: R-MAC: cosine, -1..1; pairs with a smaller one are not listed.
        side: R-MAC: pixels of the longer side, to which images are resized.
        processes: that read images.
        max_bad_share: share of the images, 0..1, that may be bad.

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

    def __post_init__(self) -> None:
        for name, (least, most) in _LIMITS.items():
            value = getattr(self, name)
            if not least <= value <= most:
                expected = f"{least} or more" if most == math.inf else f"{least} to {most}"
                raise DuplicatesError(f"{name.replace('_', ' ')} is {value}; expected {expected}")

    def open_training(self) -> ImageSet:
        """Open the training images."""
        return open_image_set(self.training, self.training_root)

    def open_queries(self) -> ImageSet:
        """Open the images that are looked for: those of the evaluation, or else the training images."""
        return open_image_set(self.evaluation, self.evaluation_root) if self.evaluation else self.open_training()


class Found(NamedTuple):
    """The result of a search: a list of pairs, the images left out, and how fast images were read, if that is known."""

    pairs: pa.Table
    skipped: list[Skipped]
    step: Step | None = None


def write_found(folder: Path, request: Request, found: Found) -> None:
    """Write the list of pairs, the images left out and the request, which says that the others are complete."""
    write_pairs(folder / PAIRS_NAME, found.pairs)
    write_csv(folder / SKIPPED_NAME, Skipped._fields, found.skipped)
    with atomic_write(folder / REQUEST_NAME, "w") as file:
        json.dump(asdict(request), file, indent=1)


def read_skipped(folder: Path) -> list[str]:
    """Read the ids of the images that a finished search left out, of both sets."""
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
