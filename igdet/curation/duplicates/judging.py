"""Judging pairs by eye: pages to be gone through with the keyboard, and reading back what was judged."""

import csv
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation.duplicates.image_sets import DuplicatesError, ImageSet
from igdet.curation.duplicates.scanning import decode
from igdet.curation.images import ImageError
from igdet.reporting.pages import IMAGE_SIDE, jpeg_uri, write_card_pages
from igdet.utils.errors import no_such_file

PAIRS_ON_PAGE = 200  # about 5 MB of images
VERDICTS = {"duplicate": True, "different": False}

Pair = tuple[str, str]  # ids of the query and of the match


def write_pages(folder: str | PathLike, pairs: pa.Table, queries: ImageSet, training: ImageSet) -> list[Path]:
    """Write the pages, in place of earlier ones: each holds its images, and lets the verdicts be downloaded.

    Args:
        folder: where the pages go.
        pairs: the list of pairs, in the order in which they are shown.
        queries: the images that were searched for.
        training: the images that were searched.

    Returns:
        The paths of the pages.

    Raises:
        DuplicatesError: an image is no longer there.
    """

    def cards(part: slice) -> list[dict]:
        return _cards(pairs.slice(part.start, part.stop - part.start), queries, training)

    package = "igdet.curation.duplicates"
    return write_card_pages(folder, package, "judging", cards, len(pairs), PAIRS_ON_PAGE, verdicts=list(VERDICTS))


def _cards(pairs: pa.Table, queries: ImageSet, training: ImageSet) -> list[dict]:
    query_rows = pc.index_in(pairs["query"], value_set=queries.ids).to_pylist()
    match_rows = pc.index_in(pairs["match"], value_set=training.ids).to_pylist()
    return [
        {
            **pair,
            "id": f"{pair['query']}\t{pair['match']}",
            "images": [_image(queries, i, pair["query"]), _image(training, j, pair["match"])],
        }
        for pair, i, j in zip(pairs.to_pylist(), query_rows, match_rows, strict=True)
    ]


def _image(images: ImageSet, row: int | None, name: str) -> str:
    """The image as a data URI, which a page without files needs."""
    if row is None:
        raise DuplicatesError(f"{name}: the list of pairs names this image, but the set no longer has it")
    try:
        pixels = decode(images.read(row), IMAGE_SIDE)
    except ImageError as error:
        raise DuplicatesError(f"{name}: {error}") from error
    return jpeg_uri(pixels)


def read_verdicts(paths: Iterable[str | PathLike]) -> dict[Pair, bool]:
    """Read what was judged.

    Args:
        paths: downloaded .csv files with the columns query, match and verdict.

    Returns:
        Whether each judged pair is a duplicate.

    Raises:
        DuplicatesError: a file is no such list, or a pair is judged both ways.
    """
    verdicts: dict[Pair, bool] = {}
    for path in paths:
        for line, pair, verdict in _read(Path(path)):
            if verdicts.setdefault(pair, verdict) != verdict:
                raise DuplicatesError(f"{path}, line {line}: {pair} was judged the other way before; keep one verdict")
    return verdicts


def _read(path: Path) -> Iterable[tuple[int, Pair, bool]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in (reader := csv.DictReader(file)):
                yield reader.line_num, (row["query"], row["match"]), VERDICTS[row["verdict"]]
    except FileNotFoundError as error:
        raise DuplicatesError(no_such_file(path, "verdicts saved by a page")) from error
    except (OSError, UnicodeDecodeError, KeyError, csv.Error) as error:
        raise DuplicatesError(
            f"{path}: expected columns query, match and verdict ({' or '.join(VERDICTS)}): {error}"
        ) from error


def confirmed(pairs: pa.Table, verdicts: Mapping[Pair, bool]) -> pa.Table:
    """Keep the pairs that were judged to be duplicates; those that were not judged are none."""
    listed = zip(pairs["query"].to_pylist(), pairs["match"].to_pylist(), strict=True)
    return pairs.filter(pa.array([verdicts.get(pair, False) for pair in listed], pa.bool_()))
