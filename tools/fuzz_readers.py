"""Read damaged files of every kind that igdet takes from others; say what is neither read nor refused in one line."""

import argparse
import sys
from pathlib import Path

from fuzz.driver import fuzz
from fuzz.kinds import KINDS
from tabulate import tabulate

EXAMPLES = """
Examples:
  python tools/fuzz_readers.py --inputs 20000
  python tools/fuzz_readers.py --kind coco --first 123 --inputs 1 --seed 7
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS), help="all by default")
    parser.add_argument("--inputs", type=int, default=2000, help="in all, shared by the kinds")
    parser.add_argument("--first", type=int, default=0, help="number of the first input of each kind")
    parser.add_argument("--seed", type=int, default=0, help="the same seed and number give the same input")
    parser.add_argument("--keep", type=Path, default=Path("runs/fuzz"), help="folder for the inputs at fault")
    return parser.parse_args()


def main() -> int:
    """Fuzz kind after kind; print a table; the exit status is 1 when anything is at fault."""
    args = parse_args()
    each = -(-args.inputs // len(args.kind))
    rows, faults = [], 0
    for kind in args.kind:
        tally = fuzz(kind, args.seed, range(args.first, args.first + each), args.keep)
        for fault, numbers in sorted(tally.faults.items(), key=lambda item: -len(item[1])):
            print(f"{kind}: {len(numbers)} x {fault} (inputs {numbers[:3]})", flush=True)
        found = len({number for numbers in tally.faults.values() for number in numbers})
        faults += found
        rows.append([kind, tally.inputs, tally.refused, found, tally.seconds])
    print(tabulate(rows, ["kind", "inputs", "refused", "at fault", "seconds"], floatfmt=".0f", tablefmt="github"))
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
