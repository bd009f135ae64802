"""Finds near-duplicates between training and evaluation images or within the former, and what to do about them.

igdet find_duplicates find DIR --training SHARDS --evaluation FOLDER     list pairs that look alike
igdet find_duplicates judge DIR                                          pages to judge them by eye
igdet find_duplicates exclude DIR --judged judged-*.csv                  ids to leave out of shards
igdet find_duplicates plan 10_000_000 2048                               memory and disk for so many images

igdet rate_predictions bound DIR gives the lower bound of an accuracy.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from igdet.curation.duplicates import command
from igdet.curation.duplicates.result import Request
from igdet.utils.command_lines import as_started, main_of

_SETTINGS = {
    "max_distance": "pdq: bits of 256 that two hashes may differ in",
    "neighbours": "rmac: training images listed for each image",
    "min_score": "rmac: least cosine of a pair",
    "side": "rmac: pixels of the longer side, to which images are resized",
    "processes": "that read images",
    "max_bad_share": "share of the images that may be bad",
}


def parse_args() -> dict:
    """Read the command line: "run", and what it is called with."""
    parser = argparse.ArgumentParser(
        description=as_started(__doc__), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    finds = _add(commands, "find", run_find, "list pairs of images that look alike")
    finds.add_argument("--training", required=True, help="shards, a table with id and image, or a folder of images")
    finds.add_argument("--evaluation", default="", help="likewise; without it pairs within the training images")
    finds.add_argument("--training-root", default="", help="what images in a table are relative to (its folder)")
    finds.add_argument("--evaluation-root", default="", help="likewise")
    finds.add_argument("--method", choices=("pdq", "rmac"), default="pdq", help="pdq: copies; rmac: crops, edits too")
    finds.add_argument("--config-file", default="", help="rmac: config of the network")
    finds.add_argument("--weights", default="", help="rmac: its weights (default: MODEL.WEIGHTS of the config)")
    for name, meaning in _SETTINGS.items():
        default = getattr(Request, name)
        flag = "--" + name.replace("_", "-")
        finds.add_argument(flag, type=type(default), default=default, help=f"{meaning} (default {default})")
    judges = _add(commands, "judge", command.judge, "write pages on which to judge the pairs with the keyboard")
    judges.add_argument("--pairs", type=int, default=2000, help="how many, the best first (default 2000)")
    excludes = _add(commands, "exclude", command.exclude, "list the training images to leave out of shards")
    excludes.add_argument("--judged", nargs="*", help="saved verdicts; without them every pair is a duplicate")
    plans = commands.add_parser("plan", help="print what is needed of memory and disk")
    plans.add_argument("count", type=int, help="training images")
    plans.add_argument("channels", type=int, help="of the network's last feature map")
    plans.set_defaults(run=command.plan)
    return vars(parser.parse_args())


def _add(commands: Any, name: str, run: Callable, summary: str) -> argparse.ArgumentParser:
    added = commands.add_parser(name, help=summary)
    added.add_argument("folder", type=Path, help="where the pairs are")
    added.set_defaults(run=run)
    return added


def run_find(folder: Path, **request: Any) -> None:
    """Find what the command line asks for."""
    command.find(folder, Request(**request))


main = main_of(parse_args)


if __name__ == "__main__":
    sys.exit(main())
