"""Errors of detectors by kind, classes taken for others, keypoints by body part: for any files of COCO detections."""

import argparse
import sys
from pathlib import Path

from igdet.evaluation.coco_files import FIELD, add_sigmas, check_detections, read_annotations, read_detections
from igdet.evaluation.coco_metrics import engine_of, score_detections
from igdet.evaluation.detection_errors import analyse, confusion_table, error_table
from igdet.formats.coco.reading import KEYPOINTS
from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors

EXAMPLES = """
Examples:
  igdet analyze_detections instances_val2017.json scratch.json hashtags.json
  igdet analyze_detections person_keypoints_val2017.json results.json --task keypoints
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=as_started(EXAMPLES), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("annotations", type=Path, help="JSON file of the data set")
    parser.add_argument("detections", type=Path, nargs="+", help="JSON lists in COCO's result format, one a model")
    parser.add_argument("--task", choices=FIELD, default="bbox", help="what is looked at; bbox by default")
    add_sigmas(parser)
    return parser.parse_args()


def analyses(args: argparse.Namespace) -> dict[str, tuple[dict, dict]]:
    """File -> metrics and details; every file is checked before the first is scored."""
    truth = read_annotations(args.annotations, args.task, sigmas=args.sigmas)
    found = {str(path): read_detections(path) for path in args.detections}
    count = len(args.sigmas) or KEYPOINTS
    checked = {path: check_detections(detections, truth, args.task, path, count) for path, detections in found.items()}
    engine = engine_of(truth, [args.task])
    scored = {path: score_detections(engine, checked[path], args.task, args.sigmas) for path in found}
    return {path: analyse(scored[path], args.task, truth, found[path], args.sigmas) for path in found}


@one_line_errors()
def main() -> None:
    """Analyse and print tables as Markdown."""
    args = parse_args()
    found = analyses(args)
    print(error_table({path: metrics for path, (metrics, _) in found.items()}, args.task).markdown())
    for path, (_, details) in found.items():
        if confusions := details.get("confusions"):
            print("\n" + confusion_table(path, confusions).markdown())


if __name__ == "__main__":
    sys.exit(main())
