"""Tags the images of a folder-per-class set the way people tag photos: posts to pretrain on, or to curate."""

import argparse
import sys
from pathlib import Path

from igdet.curation.lexicon import Lexicon
from igdet.curation.simulate import (
    HELD_OUT_NAME,
    Classes,
    choose_classes,
    simulate_posts,
    words_of_lexicon,
    words_of_synsets,
)
from igdet.formats.vocabulary import VOCABULARY_NAME
from igdet.utils.errors import one_line_errors
from igdet.world.habit import Habit
from igdet.world.taxonomy import Synset

# What a config needs to use the table, by the table's suffix.
NEXT = {
    ".csv": (
        "  DATASETS.OWN: {{posts: {{KIND: hashtag_table, ROOT: {images}, ANNOTATIONS: {out},\n"
        "                         VOCABULARY: {vocabulary}}}}}"
    ),
    ".parquet": "  SOURCE: {{PATHS: [{out}], ID: id, IMAGE: image, TAGS: tags}}",
}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder with one folder of images a class")
    parser.add_argument(
        "--synsets", help="file with a line 'NAME lemma1, lemma2' for each class (default: WordNet's, and wider words)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="the table, .csv or .parquet; more is written beside it"
    )
    parser.add_argument("--classes", default="all", help="all, first:N, last:N or a file of names; others are held out")
    parser.add_argument("--class-skew", type=float, default=0.0, help="0 keeps all; s keeps a share rank^-s of a class")
    parser.add_argument("--seed", type=int, default=0, help=">= 0; the same seed gives the same table")
    return parser.parse_args()


def find_words(classes: Classes, synsets: str | None) -> dict[str, Synset]:
    """Find the words for the classes."""
    return words_of_synsets(classes, synsets) if synsets else words_of_lexicon(classes, Lexicon.wordnet())


@one_line_errors()
def main() -> None:
    """Say what will be written, write it, say what to do with it."""
    args = parse_args()
    print(f"Tagging the images of {args.images} ({args.classes}) to {args.out}")
    classes = choose_classes(args.images, args.classes)
    words, habit = find_words(classes, args.synsets), Habit(class_skew=args.class_skew)
    count = simulate_posts(args.images, classes, words, args.out, habit, args.seed)
    vocabulary = args.out.with_name(VOCABULARY_NAME)
    print(f"{count:,} posts in {args.out}")
    print(f"Labels: {vocabulary}; held-out classes: {args.out.with_name(HELD_OUT_NAME)}")
    print("Next: a config with")
    print(NEXT[args.out.suffix].format(images=args.images, out=args.out, vocabulary=vocabulary))


if __name__ == "__main__":
    sys.exit(main())
