"""Run a study, a suite that is drawn along an axis, and write its page; or draw the page again from its results."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from igdet.benchmark.axes import with_starts_as_axis
from igdet.benchmark.command import INTERRUPTED, run_to_status, study_of
from igdet.benchmark.suite import Suite
from igdet.benchmark.suite_file import read_suite
from igdet.utils.command_lines import as_started, command_line, this_command_line
from igdet.utils.errors import UserError, one_line_errors

STUDIES = (Path("configs", "studies"), Path("configs", "untested", "studies"))
EXAMPLES = """
Examples:
  run what is not finished, write the page    igdet study run size --out docs/studies
  the page and its figures from results       igdet study draw size --out docs/studies
  at the paper's size                         igdet study run paper/size
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=as_started(EXAMPLES), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("study", help=f"a suite file, or the name of one in {STUDIES[0]}")
    parser.add_argument("--out", type=Path, help="folder of NAME.parquet and the page; the study's own unless told")
    parser.add_argument("overrides", nargs="*", metavar="KEY VALUE", help="further keys of the suite, such as SEEDS 5")
    return parser.parse_intermixed_args()


def find_study(name: str) -> Path:
    """Return the file of a study.

    Raises:
        UserError: there is none.
    """
    for path in (Path(name), *(folder / f"{name}.yaml" for folder in STUDIES)):
        if path.is_file():
            return path
    known = sorted(str(results_name(path)) for folder in STUDIES for path in folder.rglob("*.yaml"))
    raise UserError(f"{name} is no file and no study; known studies: {', '.join(known) or 'none from here'}")


def results_name(path: Path) -> Path:
    """Return the name of a study's results: paper/size stays apart from size, a file elsewhere has its own name."""
    inside = [path.relative_to(folder) for folder in STUDIES if path.is_relative_to(folder)]
    return (inside or [Path(path.name)])[0].with_suffix("")


def read_study(path: Path, overrides: Sequence[str] = ()) -> Suite:
    """Read a suite as a study; without axes its initialisations are one.

    Args:
        path: the YAML file.
        overrides: as `read_suite` takes them.

    Raises:
        UserError: there is nothing to compare, or the file cannot be read.
    """
    suite = read_suite(path, overrides)
    if suite.axes:
        return suite
    if len(suite.initializations) < 2:
        raise UserError(f"{path} has neither AXES nor a second of INITIALIZATIONS: there is nothing to compare")
    return with_starts_as_axis(suite)


def run_study(suite: Suite, name: str, results: Path) -> int:
    """Run what is not finished, collect the results, and draw."""
    ended = run_to_status(suite, this_command_line())
    if ended != INTERRUPTED:
        from igdet.benchmark.studies.results import results_of

        results_of(study_of(suite)).write(results)
        draw_study(suite, name, results)
    return ended


def draw_study(suite: Suite, name: str, results: Path) -> int:
    """Draw from the table of results alone; the page says how the study is run, by the name that it was given here."""
    from igdet.benchmark.studies.page import write_page  # now: its charts take most of a second to import
    from igdet.benchmark.studies.results import Results

    page = results.with_suffix(".md")
    write_page(suite, Results.read(results), f"{command_line('study')} run {shlex.quote(name)}", page)
    print(page)
    return 0


ACTIONS = {"run": run_study, "draw": draw_study}


@one_line_errors()
def main() -> int:
    """Check the study, then act."""
    args = parse_args()
    path = find_study(args.study)
    suite = read_study(path, args.overrides)
    results = (args.out or suite.folder) / results_name(path).with_suffix(".parquet")
    return ACTIONS[args.action](suite, args.study, results)


if __name__ == "__main__":
    sys.exit(main())
