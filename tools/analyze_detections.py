"""Errors of a detector by kind, for any COCO result file.

python tools/analyze_detections.py --annotations GT.json --results A.json [--against B.json] [--task segm]
"""

import argparse
import json
from pathlib import Path

from igdet.evaluation.localisation.errors import KINDS, decompose
from igdet.evaluation.localisation.overlaps import pictures
from igdet.utils.errors import one_line_errors
from igdet.utils.table import Entry, Table


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--annotations", required=True, type=Path, help="COCO annotations")
    parser.add_argument("--results", required=True, type=Path, help="COCO results")
    parser.add_argument("--against", type=Path, help="COCO results of another model")
    parser.add_argument("--task", choices=("bbox", "segm"), default="bbox")
    return parser.parse_args()


def main() -> None:
    """Print the table as Markdown; errors are one line."""
    args = parse_arguments()
    with one_line_errors(OSError, ValueError):
        dataset = json.loads(args.annotations.read_text(encoding="utf-8"))
        rows = []
        for path in filter(None, (args.results, args.against)):
            result = decompose(pictures(dataset, json.loads(path.read_text(encoding="utf-8")), args.task))
            entries = [f"{result['counts'][kind]:,} ({result['gains'][kind]:+.1f})" for kind in KINDS]
            rows.append([Entry(path.name), Entry(f"{result['AP50']:.1f}"), *map(Entry, entries)])
        note = "Errors, and the points of AP50 that mending them would gain; docs/LOCALISATION.md defines them."
        print(Table(f"Errors by kind ({args.task})", ["Results", "AP50", *KINDS], rows, note).markdown())


if __name__ == "__main__":
    main()
