"""Use a hashtag classifier as it is: tag images, calibrate its probabilities, classify without training.

igdet tag tag --run runs/pretrain --images photos more.jpg list.csv --out runs/tags.parquet
igdet tag calibrate --run runs/pretrain            on the held-out posts of its config; writes beside its weights
igdet tag zero-shot --run runs/pretrain --target datasets/tiny-imagenet/val --out runs/zero_shot
igdet tag zero-shot --clip ViT-B-16:openai --target datasets/tiny-imagenet/val --out runs/zero_shot_clip
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

from igdet.utils.command_lines import as_started, main_of


def parse_args() -> dict:
    """Read the command line: "run", and what it is called with."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=as_started(__doc__), formatter_class=raw)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    tags, _ = _add(commands, "tag", "run_tag", "write the most probable hashtags of images")
    _add(commands, "calibrate", "run_calibrate", "fit probabilities to posts that no training has seen")
    zero_shot, classifier = _add(
        commands, "zero-shot", "run_zero_shot", "score a data set's classes by hashtags or CLIP"
    )
    tags.add_argument("--images", nargs="+", required=True, help="folders, images, .csv or .parquet with column image")
    tags.add_argument("--out", type=Path, required=True, help="the .parquet table to write")
    tags.add_argument("--top", type=int, default=5, help="most hashtags an image (default %(default)s)")
    tags.add_argument("--vocabulary", default="", help="file of the only hashtags to use, one a line")
    classifier.add_argument("--clip", help="MODEL:WEIGHTS of open_clip, which takes the classes' names for texts")
    zero_shot.add_argument("--target", required=True, help="a target, a config, or a folder of class folders")
    zero_shot.add_argument("--out", type=Path, required=True, help="folder of zero_shot.json and the predictions")
    args = parser.parse_args()
    if vars(args).get("top", 1) < 1:
        parser.error(f"--top is {args.top}: expected 1 or more")
    return vars(args)


def _add(commands: Any, name: str, run: str, summary: str) -> tuple[argparse.ArgumentParser, Any]:
    """Add a command, and return it with the group of options that name its classifier."""
    added = commands.add_parser(name, help=summary)
    added.set_defaults(run=partial(act, run))
    classifier = added.add_mutually_exclusive_group(required=True)
    classifier.add_argument("--run", dest="folder", help="finished training: folder of config.yaml, model_final.pth")
    classifier.add_argument("--config-file", help="of the classifier, with MODEL.WEIGHTS")
    added.add_argument("opts", nargs=argparse.REMAINDER, metavar="KEY VALUE", help="overrides of the config")
    return added, classifier


def act(function: str, **arguments: Any) -> None:
    """Do what a function of `igdet.cli.actions.tag` does."""
    from igdet.cli.actions import tag  # now: PyTorch takes seconds

    getattr(tag, function)(**arguments)


main = main_of(parse_args)


if __name__ == "__main__":
    sys.exit(main())
