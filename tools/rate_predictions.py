"""Accuracy when people look again: rectified by raters, by ReaL labels, or bounded by near-duplicates.

python tools/rate_predictions.py export DIR --predictions P --pictures FOLDER     pages for raters
python tools/rate_predictions.py merge DIR ratings-*.json                         plain and rectified top-1
python tools/rate_predictions.py real P                                           by ReaL labels (ImageNet only)
python tools/rate_predictions.py bound DIR --predictions P --judged judged-*.csv  as tools/find_duplicates.py has it
"""

import argparse
from pathlib import Path

from find_duplicates import run_bound

from igdet.data.class_names import read_readable_names
from igdet.data.image_folder import read_class_names, read_image_folder
from igdet.data.pictures import open_picture
from igdet.evaluation.rating.disagreements import Questions, find_disagreements
from igdet.evaluation.rating.pages import write_rating_pages
from igdet.evaluation.rating.real import real_accuracy
from igdet.evaluation.rating.rectified import rectify
from igdet.evaluation.rating.report import describe
from igdet.evaluation.rating.votes import read_votes
from igdet.utils.errors import one_line_errors
from igdet.utils.imagenet_lists import real_labels
from igdet.utils.predictions_file import read_predictions


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    exports, merges, reals, bounds = (
        commands.add_parser(run.__name__.removeprefix("run_"), help=run.__doc__)
        for run in (run_export, run_merge, run_real, run_bound)
    )
    for command, run in ((exports, run_export), (merges, run_merge), (reals, run_real), (bounds, run_bound)):
        command.set_defaults(run=run)
    for command in (exports, merges, bounds):
        command.add_argument("folder", type=Path, help="of the pages; bound: of the near-duplicates")
    for command in (exports, bounds):
        command.add_argument("--predictions", required=True, help="predictions.parquet of an evaluation")
    exports.add_argument("--pictures", required=True, help="the folder of class folders that was evaluated")
    exports.add_argument("--classes", default="", help="file of the class folders, if not all were evaluated")
    exports.add_argument("--names", default="", help="file of class folder, tab, name to show raters, or timm:lemmas")
    exports.add_argument("--sample", type=int, help="how many disagreements (default all)")
    exports.add_argument("--seed", type=int, default=0, help="of their order")
    merges.add_argument("ratings", nargs="+", help="files saved by the raters")
    reals.add_argument("predictions", help="predictions.parquet of an evaluation")
    bounds.add_argument("--judged", nargs="*", help="saved verdicts; without them every pair is a duplicate")
    return parser.parse_args()


def run_export(args: argparse.Namespace) -> None:
    """Write pages for raters."""
    classes = read_class_names(args.pictures, args.classes)
    names = read_readable_names(args.names, classes)
    records = read_image_folder(args.pictures, classes)
    rows = {records.image_id(row): row for row in range(len(records))}
    labels = {name: int(records.labels(row)[0]) for name, row in rows.items()}
    questions = find_disagreements(read_predictions(args.predictions), labels, classes, args.sample, args.seed)
    pages = write_rating_pages(
        args.folder, questions, lambda name: open_picture(records.read(rows[name]), "RGB", name).whole(), names
    )
    questions.write(args.folder)
    print(f"{len(questions.disagreements):,} of {questions.pictures - questions.right:,} disagreements")
    print(f"{len(pages)} pages: rate and save {args.folder}/rating-*.html")
    print(f"Next: python tools/rate_predictions.py merge {args.folder} ratings-*.json")


def run_merge(args: argparse.Namespace) -> None:
    """Print plain and rectified top-1."""
    questions = Questions.read(args.folder)
    print(describe(rectify(questions, read_votes(args.ratings, questions))))


def run_real(args: argparse.Namespace) -> None:
    """Print top-1 by ReaL labels."""
    result = real_accuracy(read_predictions(args.predictions), real_labels())
    print(
        f"top-1 {result.plain:.2%}; by ReaL {result.real:.2%} of the {result.pictures:,} pictures that have such labels"
    )


def main() -> None:
    """Run a command; errors are one line."""
    args = parse_arguments()
    with one_line_errors(OSError):
        args.run(args)


if __name__ == "__main__":
    main()
