"""Score any file of COCO or LVIS detections: the official numbers, every IoU threshold, every class."""

import argparse
import json
import sys
from pathlib import Path

from igdet.evaluation.coco_files import add_sigmas, check_detections, read_annotations, read_detections
from igdet.evaluation.coco_metrics import SUMMARY, engine_of, metrics_of, score_detections
from igdet.formats.coco.reading import KEYPOINTS
from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors
from igdet.utils.files import atomic_write

EXAMPLES = """
Examples:
  igdet evaluate_coco instances_val2017.json coco_instances_results.json --per-class
  igdet evaluate_coco person_keypoints_val2017.json results.json --task keypoints --out scores.json
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=as_started(EXAMPLES), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("annotations", type=Path, help="JSON file of the data set")
    parser.add_argument("detections", type=Path, help="JSON list in COCO's result format")
    parser.add_argument("--task", choices=SUMMARY, default="bbox", help="what is scored; bbox by default")
    add_sigmas(parser)
    parser.add_argument("--lvis", action="store_true", help="the annotations are federated, as LVIS has them")
    parser.add_argument("--per-class", action="store_true", help="print every class too")
    parser.add_argument("--out", type=Path, help="JSON file for all numbers")
    args = parser.parse_args()
    if args.lvis and args.task == "keypoints":
        parser.error("--lvis: LVIS has no keypoints; expected --task bbox or segm")
    return args


def score(args: argparse.Namespace) -> tuple[dict[str, float], list[str]]:
    """Return all numbers, and the classes by name."""
    detections = read_detections(args.detections)
    truth = read_annotations(args.annotations, args.task, args.lvis, args.sigmas)
    classes = [category["name"] for category in sorted(truth["categories"], key=lambda category: category["id"])]
    checked = check_detections(detections, truth, args.task, args.detections, len(args.sigmas) or KEYPOINTS)
    evaluation = score_detections(engine_of(truth, [args.task]), checked, args.task, args.sigmas, args.lvis)
    return metrics_of(evaluation, args.task, classes, args.lvis), classes


@one_line_errors()
def main() -> None:
    """Score, print and write."""
    args = parse_args()
    metrics, classes = score(args)
    from igdet.evaluation.coco import class_table, metrics_table  # now: PyTorch takes seconds

    print(metrics_table(metrics).plain())
    if args.per_class:
        print(class_table(metrics, classes).plain())
    if args.out:
        with atomic_write(args.out, "w") as file:
            json.dump({name: None if value != value else value for name, value in metrics.items()}, file, indent=1)
        print(f"All numbers: {args.out}")


if __name__ == "__main__":
    sys.exit(main())
