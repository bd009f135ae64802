"""Chooses the hashtags of a pretraining for a target task, from the labels and the posts of a curation."""

import argparse
import sys
from pathlib import Path

from igdet.curation.lexicon import Lexicon
from igdet.curation.vocabularies.candidates import Reach
from igdet.curation.vocabularies.greedy_choice import Goal
from igdet.curation.vocabularies.label_space import comparison_rows, match_label_space, write_label_space
from igdet.curation.vocabularies.recipes import DEFAULT
from igdet.formats.vocabulary import VOCABULARY_NAME
from igdet.utils.errors import one_line_errors
from igdet.utils.messages import printable


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", required=True, help="table of labels: a Parquet file or a folder of them")
    parser.add_argument("--posts", required=True, help="labelled posts: a Parquet file or a folder of them")
    parser.add_argument("--targets", required=True, help="target classes: wnids, synsets or names, or a COCO json")
    parser.add_argument("--out", required=True, help="folder to write the vocabulary and the reasons to")
    parser.add_argument("--lexicon", help="table of words and labels that the labels were made with (default: WordNet)")
    parser.add_argument("--budget", type=int, default=Goal.budget, help="most images; 0 for no limit")
    parser.add_argument("--wanted", type=int, default=Goal.wanted, help="images that are enough for a class")
    parser.add_argument("--down", type=int, default=Reach.down, help="most steps from a class to a hyponym")
    parser.add_argument("--up", type=int, default=Reach.up, help="most steps from a class to a hypernym")
    parser.add_argument("--neighbours", type=int, default=Reach.neighbours, help="most co-occurring labels a class")
    parser.add_argument("--block-lists", nargs="*", default=[DEFAULT], help="files of hashtags to leave out")
    parser.add_argument("--compare", nargs="*", default=[], metavar="VOCABULARY", help="other vocabularies to compare")
    return parser.parse_args()


@one_line_errors()
def main() -> None:
    """Say what is read, choose, say what was written and what could not be matched."""
    args = parse_arguments()
    print(f"Choosing hashtags for {args.targets} among the labels of {args.labels}")
    lexicon = Lexicon.read(args.lexicon) if args.lexicon else Lexicon.wordnet()
    goal, reach = Goal(args.budget, args.wanted), Reach(args.down, args.up, args.neighbours)
    space = match_label_space(
        args.labels, args.posts, args.targets, lexicon, goal, reach, args.block_lists, args.compare
    )
    write_label_space(args.out, space)
    for row in comparison_rows(space):
        print(printable("  ".join(f"{key}: {value}" for key, value in row.items())))
    if unmatched := [match.key for match in space.matches if match.rule == "unmatched"]:
        print(printable(f"Target classes without any hashtag ({len(unmatched)}): {', '.join(unmatched)}"))
    print(f"Vocabulary, with its reasons beside it: {Path(args.out) / VOCABULARY_NAME}")


if __name__ == "__main__":
    sys.exit(main())
