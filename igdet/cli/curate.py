"""Curates hashtags: from raw posts to a vocabulary and shards; run it, show its state, or write its report."""

import argparse
import sys

from igdet.curation import engine
from igdet.curation.command import report, run, status
from igdet.curation.settings import read_curation
from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors

EXAMPLES = """
Examples:
  do what is not done         igdet curate run configs/curation/harrison.yaml ENGINE.RUNNER ray
  show the state              igdet curate status configs/curation/harrison.yaml
  write the report again       igdet curate report configs/curation/harrison.yaml
"""
ACTIONS = {"run": run, "status": status, "report": report}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=as_started(EXAMPLES), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("config", help="see configs/curation")
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY VALUE", help="keys of the config, as in VOCABULARY.TOP 500"
    )
    return parser.parse_args()


@engine.at_once()
@one_line_errors()
def main() -> None:
    """Read the config, then act."""
    args = parse_args()
    ACTIONS[args.action](read_curation(args.config, args.overrides))


if __name__ == "__main__":
    sys.exit(main())
