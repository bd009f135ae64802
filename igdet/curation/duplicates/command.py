"""What the command find_duplicates does, and the lower bound of an accuracy that rate_predictions prints."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from igdet.curation.duplicates import exclusion as bounding
from igdet.curation.duplicates import finding
from igdet.curation.duplicates.exclusion import excluded_against, excluded_within
from igdet.curation.duplicates.finding import describe_needs
from igdet.curation.duplicates.judging import confirmed, read_verdicts, write_pages
from igdet.curation.duplicates.result import SKIPPED_NAME, Request, read_found, read_skipped
from igdet.curation.duplicates.vectors import Describer
from igdet.formats.predictions import read_predictions
from igdet.reporting.tables import write_csv
from igdet.utils.command_lines import command_line
from igdet.utils.errors import UserError


def find(folder: Path, request: Request) -> None:
    """Find pairs and write them."""
    print(f"Comparing {request.training} with {request.evaluation or 'itself'} ({request.method}), into {folder}")
    found = finding.find(request, folder, _describer(request) if request.method == "rmac" else None)
    print(f"{len(found.pairs):,} pairs in {folder}, {len(found.skipped):,} images skipped")
    if found.skipped:
        print(f"Those were compared with nothing; {folder / SKIPPED_NAME} names them and says why")
    if found.pairs:
        print(f"Next: {command_line('find_duplicates')} judge {folder}")


def _describer(request: Request) -> Describer:
    if not request.config_file:
        raise UserError("--method rmac needs a network: name its config with --config-file")
    try:
        from igdet.curation.duplicates.rmac import RmacDescriber
    except ImportError as error:  # all other commands and methods do without
        raise UserError(f"--method rmac needs torch and Detectron2 (tools/install_detectron2.py): {error}") from error
    return RmacDescriber.from_config(request.config_file, request.weights)


def judge(folder: Path, pairs: int) -> None:
    """Write the pages on which the best pairs are judged by eye."""
    if pairs < 1:
        raise UserError(f"{pairs} pairs to judge: expected 1 or more")
    request, found = read_found(folder)
    chosen = found.slice(0, pairs)
    pages = write_pages(folder, chosen, request.open_queries(), request.open_training())
    if not pages:
        print(f"{folder} lists no pairs: there is nothing to judge")
        return
    print(f"{len(chosen):,} of {len(found):,} pairs on {len(pages)} pages: judge and save {folder}/judging-*.html")
    print(f"Next: {command_line('find_duplicates')} exclude {folder} --judged judged-*.csv")


def exclude(folder: Path, judged: Sequence[str] | None) -> None:
    """Write the ids of the training images to leave out; `judged` as `_duplicates` has it."""
    request, pairs = _duplicates(folder, judged)
    excluded = excluded_against(pairs) if request.evaluation else excluded_within(pairs)
    path = folder / "excluded.csv"
    write_csv(path, ["id"], ([name] for name in excluded))
    print(f"{len(excluded):,} training images to leave out: {path}")


def bound(folder: Path, judged: Sequence[str] | None, predictions: str) -> None:
    """Print the lower bound of an evaluation's accuracy; `judged` as `_duplicates` has it."""
    request, pairs = _duplicates(folder, judged)
    if not request.evaluation:
        raise UserError(f"{folder} compares training images with each other: a bound needs evaluation images")
    searched = request.open_queries().ids.to_pylist()
    duplicated = set(pairs["query"].to_pylist())
    skipped = read_skipped(folder)
    result = bounding.bound(read_predictions(predictions), duplicated, searched, request.evaluation, skipped)
    print(f"top-1 {result.accuracy:.2%} of {result.images:,} images")
    doubtful = f"the {result.duplicated:,} with a near-duplicate in training"
    if result.uncompared:
        doubtful += f" and the {result.uncompared:,} that could not be compared"
    print(f"at least {result.lower:.2%}: {doubtful} count as wrong")


def _duplicates(folder: Path, judged: Sequence[str] | None) -> tuple[Request, pa.Table]:
    """What was searched, and the pairs that count: those judged to be duplicates, or all where nothing was judged."""
    request, pairs = read_found(folder)
    return request, pairs if judged is None else confirmed(pairs, read_verdicts(judged))


def plan(count: int, channels: int) -> None:
    """Print what searching so many images takes."""
    print(describe_needs(count, channels))
