"""Run a benchmark suite, show its state, or write its report."""

import argparse
import os
import shlex
import sys
from pathlib import Path

from igdet.benchmark.command import report, run_to_status, status
from igdet.benchmark.suite import Suite
from igdet.benchmark.suite_file import read_suite
from igdet.utils.command_lines import as_started, command_line, this_command_line
from igdet.utils.errors import one_line_errors

EXAMPLES = """
Examples:
  run what is not finished    igdet benchmark run configs/benchmark/demo.yaml --seeds 3 OUTPUT_DIR runs/again
  show the state              igdet benchmark status configs/benchmark/demo.yaml
  write the report again       igdet benchmark report configs/benchmark/demo.yaml
"""


# As it is typed from here: .venv/bin/python, say, for `make demo` runs outside an activated environment.
PYTHON = os.path.relpath(sys.executable) if Path.cwd() in Path(sys.executable).parents else "python"


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=as_started(EXAMPLES), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("suite", help="suite file, see configs/benchmark")
    parser.add_argument("--seeds", help="number of seeds; finished ones are kept")
    parser.add_argument("--jobs", help="processes at a time")
    parser.add_argument("overrides", nargs="*", metavar="KEY VALUE", help="further keys of the suite")
    return parser.parse_intermixed_args()


def run_command(arguments: argparse.Namespace, seeds: str | None = None) -> str:
    """The command that runs the same suite, with what was given, and perhaps another number of seeds."""
    given = {"--seeds": seeds or arguments.seeds, "--jobs": arguments.jobs}
    options = [word for option, value in given.items() if value for word in (option, value)]
    start = command_line("benchmark").replace("python", PYTHON, 1)
    return f"{start} {shlex.join(['run', arguments.suite, *options, *arguments.overrides])}"


def run_suite(suite: Suite, arguments: argparse.Namespace) -> int:
    """Run, and say how to go on."""
    ended = run_to_status(suite, this_command_line(PYTHON))
    if ended == 0:
        print(f"more seeds: {run_command(arguments, seeds=str(suite.seeds + 2))}")
    return ended


def show_status(suite: Suite, arguments: argparse.Namespace) -> int:
    """Print the table of cells."""
    print(status(suite))
    return 0


def write_report(suite: Suite, arguments: argparse.Namespace) -> int:
    """Write the report and say where, or what comes first."""
    page = report(suite)
    if not page:
        print(f"{suite.folder} has no run of this suite yet: {run_command(arguments)}")
        return 1
    print(page)
    return 0


ACTIONS = {"run": run_suite, "status": show_status, "report": write_report}


@one_line_errors()
def main() -> int:
    """Check the suite, then act."""
    arguments = parse_args()
    counts = {"SEEDS": arguments.seeds, "JOBS": arguments.jobs}
    overrides = [part for key, value in counts.items() if value is not None for part in (key, value)]
    suite = read_suite(arguments.suite, [*overrides, *arguments.overrides])
    return ACTIONS[arguments.action](suite, arguments)


if __name__ == "__main__":
    sys.exit(main())
