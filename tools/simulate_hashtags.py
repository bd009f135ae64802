"""Tags the pictures of a folder-per-class set the way people tag photos, to pretrain on real pictures."""

import argparse
from pathlib import Path

from igdet.utils.errors import one_line_errors
from igdet.vocabulary import VOCABULARY_NAME
from igdet.world.habit import Habit
from igdet.world.simulate import HELD_OUT_NAME, simulate_posts


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", required=True, help="folder with one folder of pictures a class, named by wnid")
    parser.add_argument("--synsets", required=True, help="file with a line 'wnid lemma1, lemma2' for each class")
    parser.add_argument("--out", required=True, help="the table to write, CSV; other files are written beside it")
    parser.add_argument("--classes", default="all", help="all, first:N, last:N or a file of wnids; others are held out")
    parser.add_argument("--class-skew", type=float, default=0.0, help="0 keeps all; s keeps a share rank^-s of a class")
    parser.add_argument("--seed", type=int, default=0, help=">= 0; the same seed gives the same table")
    return parser.parse_args()


def main() -> None:
    """Say what will be written, write it, say what to do with it."""
    args = parse_args()
    print(f"Tagging the pictures of {args.images} ({args.classes}) to {args.out}")
    with one_line_errors(OSError):
        habit = Habit(class_skew=args.class_skew)
        count = simulate_posts(args.images, args.synsets, args.out, args.classes, habit, args.seed)
    folder = Path(args.out).parent
    print(f"{count:,} posts in {args.out}")
    print(f"Labels: {folder / VOCABULARY_NAME}; held-out classes: {folder / HELD_OUT_NAME}")
    print("Next: a config with")
    print(f"  DATASETS.OWN: {{posts: {{KIND: hashtag_table, ROOT: {args.images}, ANNOTATIONS: {args.out},")
    print(f"                         VOCABULARY: {folder / VOCABULARY_NAME}}}}}")


if __name__ == "__main__":
    main()
