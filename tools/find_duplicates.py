"""Finds near-duplicates between training and evaluation pictures or within the former, and what to do about them.

python tools/find_duplicates.py find DIR --training SHARDS --evaluation FOLDER     list pairs that look alike
python tools/find_duplicates.py judge DIR                                          pages to judge them by eye
python tools/find_duplicates.py exclude DIR --judged judged-*.csv                  ids to leave out of shards
python tools/find_duplicates.py bound DIR --judged judged-*.csv --predictions P    lower bound of the accuracy
python tools/find_duplicates.py plan 10_000_000 2048                               memory and disk for so many pictures
"""

import argparse
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pyarrow as pa

from igdet.curation.duplicates.bound import bound
from igdet.curation.duplicates.exclusion import excluded_against, excluded_within
from igdet.curation.duplicates.finding import find
from igdet.curation.duplicates.hamming import BYTES_A_PICTURE
from igdet.curation.duplicates.index import plan
from igdet.curation.duplicates.judging import confirmed, read_verdicts, write_pages
from igdet.curation.duplicates.result import Request, read_found
from igdet.curation.duplicates.vectors import Describer
from igdet.curation.duplicates.whitening import DIM
from igdet.utils.csv_files import write_csv
from igdet.utils.errors import UserError, one_line_errors
from igdet.utils.predictions_file import read_predictions

_SETTINGS = {
    "max_distance": "pdq: bits of 256 that two hashes may differ in",
    "neighbours": "rmac: training pictures listed for each picture",
    "min_score": "rmac: least cosine of a pair",
    "side": "rmac: pixels of the longer side, to which pictures are resized",
    "processes": "that read pictures",
    "max_bad_share": "share of the pictures that may be bad",
}


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    finds = _add(commands, run_find, "list pairs of pictures that look alike")
    finds.add_argument("--training", required=True, help="shards, a table with id and image, or a folder of pictures")
    finds.add_argument("--evaluation", default="", help="likewise; without it pairs within the training pictures")
    finds.add_argument("--training-root", default="", help="what images in a table are relative to (its folder)")
    finds.add_argument("--evaluation-root", default="", help="likewise")
    finds.add_argument("--method", choices=("pdq", "rmac"), default="pdq", help="pdq: copies; rmac: crops, edits too")
    finds.add_argument("--config-file", default="", help="rmac: config of the network")
    finds.add_argument("--weights", default="", help="rmac: its weights (default: MODEL.WEIGHTS of the config)")
    for name, meaning in _SETTINGS.items():
        default = getattr(Request, name)
        flag = "--" + name.replace("_", "-")
        finds.add_argument(flag, type=type(default), default=default, help=f"{meaning} (default {default})")
    judges = _add(commands, run_judge, "write pages on which to judge the pairs with the keyboard")
    judges.add_argument("--pairs", type=int, default=2000, help="how many, the best first (default 2000)")
    excludes = _add(commands, run_exclude, "list the training pictures to leave out of shards")
    bounds = _add(commands, run_bound, "count evaluation pictures with near-duplicates as wrong")
    for command in (excludes, bounds):
        command.add_argument("--judged", nargs="*", help="saved verdicts; without them every pair is a duplicate")
    bounds.add_argument("--predictions", required=True, help="predictions.parquet of the evaluation")
    plans = commands.add_parser("plan", help="print what is needed of memory and disk")
    plans.add_argument("count", type=int, help="training pictures")
    plans.add_argument("channels", type=int, help="of the network's last feature map")
    plans.set_defaults(run=run_plan)
    return parser.parse_args()


def _add(commands, run: Callable, summary: str) -> argparse.ArgumentParser:
    command = commands.add_parser(run.__name__.removeprefix("run_"), help=summary)
    command.add_argument("folder", type=Path, help="where the pairs are")
    command.set_defaults(run=run)
    return command


def run_find(args: argparse.Namespace) -> None:
    """Find pairs and write them."""
    request = Request(**{field.name: getattr(args, field.name) for field in fields(Request)})
    print(f"Comparing {request.training} with {request.evaluation or 'itself'} ({request.method}), into {args.folder}")
    found = find(request, args.folder, _describer(request) if request.method == "rmac" else None)
    print(f"{len(found.pairs):,} pairs in {args.folder}, {len(found.skipped):,} pictures skipped")
    print(f"Next: python tools/find_duplicates.py judge {args.folder}")


def _describer(request: Request) -> Describer:
    if not request.config_file:
        raise UserError("--method rmac needs a network: name its config with --config-file")
    try:
        from igdet.curation.duplicates.rmac import RmacDescriber
    except ImportError as error:  # all other commands and methods do without
        raise UserError(f"--method rmac needs torch and Detectron2 (tools/install_detectron2.py): {error}") from error
    return RmacDescriber.from_config(request.config_file, request.weights)


def run_judge(args: argparse.Namespace) -> None:
    """Write the pages."""
    request, pairs = read_found(args.folder)
    chosen = pairs.slice(0, args.pairs)
    pages = write_pages(args.folder, chosen, request.open_queries(), request.open_training())
    print(f"{len(chosen):,} of {len(pairs):,} pairs on {len(pages)} pages: judge and save {args.folder}/judging-*.html")
    print(f"Next: python tools/find_duplicates.py exclude {args.folder} --judged judged-*.csv")


def run_exclude(args: argparse.Namespace) -> None:
    """Write the ids to leave out."""
    request, pairs = _duplicates(args)
    excluded = excluded_against(pairs) if request.evaluation else excluded_within(pairs)
    path = args.folder / "excluded.csv"
    write_csv(path, ["id"], ([name] for name in excluded))
    print(f"{len(excluded):,} training pictures to leave out: {path}")


def run_bound(args: argparse.Namespace) -> None:
    """Print the lower bound."""
    request, pairs = _duplicates(args)
    if not request.evaluation:
        raise UserError(f"{args.folder} compares training pictures with each other: a bound needs evaluation pictures")
    result = bound(read_predictions(args.predictions), set(pairs["query"].to_pylist()))
    print(f"top-1 {result.accuracy:.2%} of {result.pictures:,} pictures")
    print(f"at least {result.lower:.2%}: the {result.duplicated:,} with a near-duplicate in training count as wrong")


def _duplicates(args: argparse.Namespace) -> tuple[Request, pa.Table]:
    request, pairs = read_found(args.folder)
    return request, pairs if args.judged is None else confirmed(pairs, read_verdicts(args.judged))


def run_plan(args: argparse.Namespace) -> None:
    """Print what the search takes."""
    layout = plan(args.count, min(DIM, args.channels))
    sizes = {
        "PDQ: memory, within the set": args.count * BYTES_A_PICTURE,
        "R-MAC: disk, features": 2 * args.count * args.channels,
        "R-MAC: memory, vectors": layout.vectors_bytes,
        "R-MAC: memory, index": layout.index_bytes,
        "R-MAC: memory, its training": layout.training_bytes,
        "R-MAC: memory, at most": layout.memory_bytes,
    }
    print(
        f"{args.count:,} pictures, {args.channels:,} channels: faiss index {layout.factory}, {layout.dim} numbers each"
    )
    for name, size in sizes.items():
        print(f"  {name:<28}{size / 1e9:8.2f} GB")


def main() -> None:
    """Run a command; errors are one line."""
    args = parse_arguments()
    with one_line_errors(OSError):
        args.run(args)


if __name__ == "__main__":
    main()
