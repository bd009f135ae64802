"""Errors of detectors by kind, classes taken for others, keypoints by body part: for any files of COCO detections."""

import argparse
import json
from pathlib import Path

from hotcoco import COCO

from igdet.evaluation.coco_check import FIELD, check_detections, read_detections
from igdet.evaluation.coco_metrics import score_detections
from igdet.evaluation.localisation import errors, keypoints
from igdet.evaluation.localisation.analysis import analyse
from igdet.utils.errors import UserError, one_line_errors
from igdet.utils.table import EMPTY, Entry, Table

EXAMPLES = """
Examples:
  python tools/analyze_detections.py instances_val2017.json scratch.json hashtags.json
  python tools/analyze_detections.py person_keypoints_val2017.json results.json --task keypoints
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("annotations", type=Path, help="JSON file of the data set")
    parser.add_argument("detections", type=Path, nargs="+", help="JSON lists in COCO's result format, one a model")
    parser.add_argument("--task", choices=FIELD, default="bbox", help="what is looked at; bbox unless told")
    return parser.parse_args()


def analyses(args: argparse.Namespace) -> dict[str, tuple[dict, dict]]:
    """File -> metrics and details; every file is checked before the first is scored."""
    try:
        truth = json.loads(args.annotations.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{args.annotations}: cannot be read as COCO annotations: {error}") from error
    found = {str(path): read_detections(path) for path in args.detections}
    for path, detections in found.items():
        check_detections(detections, truth, args.task, path)
    engine = COCO(truth)
    return {
        path: analyse(score_detections(engine, detections, args.task), args.task, truth, detections)
        for path, detections in found.items()
    }


def row(path: str, metrics: dict, task: str) -> list[Entry]:
    """One model's numbers."""
    if task == "keypoints":
        shares = [metrics.get(f"keypoints-{kind}") for kind in keypoints.KINDS]
        return [Entry(path), *(Entry(EMPTY if share is None else f"{share:.1f}") for share in shares)]
    return [
        Entry(path),
        *(Entry(f"{metrics[f'errors-{kind}']:,.0f} ({metrics[f'dAP-{kind}']:+.1f})") for kind in errors.KINDS),
    ]


def main() -> None:
    """Analyse and print tables as Markdown."""
    args = parse_args()
    with one_line_errors():
        found = analyses(args)
    kinds, note = errors.KINDS, "Errors, and the points of AP50 that mending them would gain."
    if args.task == "keypoints":
        kinds, note = keypoints.KINDS, "Percent of the labelled keypoints of people that were found."
    rows = [row(path, metrics, args.task) for path, (metrics, _) in found.items()]
    print(
        Table("Errors by kind", ["detections", *kinds], rows, f"{note} docs/LOCALISATION.md defines them.").markdown()
    )
    for path, (_, details) in found.items():
        pairs = [
            [Entry(truth), Entry(taken), Entry(f"{count:,}")] for truth, taken, count in details.get("confusions", [])
        ]
        if pairs:
            print(
                "\n"
                + Table(f"Classes taken for others: {path}", ["object", "taken for", "times"], pairs[:10]).markdown()
            )


if __name__ == "__main__":
    main()
