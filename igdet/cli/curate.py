"""Curates hashtags: from raw posts to a vocabulary and shards; run it, show its state, write its report, list sets."""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from igdet.curation import engine
from igdet.curation.command import list_sets, report, run, status
from igdet.curation.settings import Curation, read_curation
from igdet.utils.arrow import leave_pandas_out
from igdet.utils.command_lines import as_started, main_of

EXAMPLES = """
Examples:
  do what is not done         igdet curate run configs/curation/harrison.yaml ENGINE.RUNNER ray
  show the state              igdet curate status configs/curation/harrison.yaml
  write the report again       igdet curate report configs/curation/harrison.yaml
  all sets below a folder     igdet curate list runs datasets
"""
# What takes a config -> what it does, in words.
ON_CONFIG = {run: "do what is not done", status: "show what is done", report: "write the report again"}


def parse_args() -> dict:
    """Read the command line: "run", and what it is called with."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=as_started(EXAMPLES), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for act, summary in ON_CONFIG.items():
        added = actions.add_parser(act.__name__, help=summary)
        added.set_defaults(run=partial(act_on_config, act))
        added.add_argument("config", help="see configs/curation")
        added.add_argument(
            "overrides", nargs="*", metavar="KEY VALUE", help="keys of the config, as in VOCABULARY.TOP 500"
        )
    lists = actions.add_parser("list", help="print the sets below folders as a Markdown table")
    lists.set_defaults(run=list_sets)
    lists.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="looked into with all folders below")
    return vars(parser.parse_args())


def act_on_config(act: Callable[[Curation], object], config: str, overrides: Sequence[str]) -> None:
    """Read the config, then act."""
    leave_pandas_out()
    act(read_curation(config, overrides))


main = engine.at_once()(main_of(parse_args))


if __name__ == "__main__":
    sys.exit(main())
