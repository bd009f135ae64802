"""Check the configs of many runs in one process, before any of them starts; starts none."""

import argparse
import json
import sys
from pathlib import Path

from igdet.utils.command_lines import as_started
from igdet.utils.errors import UserError, one_line_errors
from igdet.utils.messages import printable

RUN_KEYS = {"name", "config_file", "opts", "processes"}

EXAMPLES = """
Example:
  igdet check_configs runs.json
with [{"name": "boxes", "config_file": "my/boxes.yaml", "opts": ["SEED", "3"], "processes": 8}] in runs.json
"""


def read_runs(path: str) -> list[dict]:
    """Read the file of runs.

    Raises:
        UserError: it is no such file.
    """
    try:
        runs = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON; brackets by the thousand
        raise UserError(f"{path}: no JSON file: {error}; expected a list of runs, as --help shows one") from error
    if not isinstance(runs, list) or not all(isinstance(run, dict) and run.keys() >= RUN_KEYS for run in runs):
        raise UserError(
            f"{path}: expected a list of runs, each with {', '.join(sorted(RUN_KEYS))}, as --help shows one"
        )
    return runs


@one_line_errors()
def main() -> int:
    """Say what is wrong, each thing once; 0 when nothing is."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=as_started(EXAMPLES), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", help="JSON file: see the example; opts as on a command line")
    runs = read_runs(parser.parse_args().runs)
    from igdet.cli.actions.check_configs import problems  # now: PyTorch takes seconds

    found = problems(runs)
    for message, names in found.items():
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        print(printable(f"{names[0]}{others}: {message}"))
    return 2 if found else 0


if __name__ == "__main__":
    sys.exit(main())
