"""Cut a minival from a COCO training set: learning rates are chosen on it, never on val."""

import argparse
import sys
from pathlib import Path

from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors

EXAMPLES = """
Examples:
  igdet cut_minival annotations/instances_train2017.json annotations/person_keypoints_train2017.json \\
    --images 5000 --never annotations/instances_val2017.json --out annotations
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=as_started(EXAMPLES), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("annotations", nargs="+", type=Path, help="annotation files of the same training images")
    parser.add_argument("--images", type=int, default=5000, help="images of the minival")
    parser.add_argument("--seed", type=int, default=0, help="another one takes other images")
    parser.add_argument(
        "--never", nargs="*", type=Path, required=True, help="annotation files of evaluation sets, if any"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the new annotation files")
    return parser.parse_args()


@one_line_errors()
def main() -> None:
    """Cut, and say what was written."""
    args = parse_args()
    from igdet.data.minival import cut_minival  # now: PyTorch takes seconds

    for cut in cut_minival(args.annotations, args.images, args.seed, args.out, args.never):
        for path, images, annotations in zip((cut.fit, cut.minival), cut.images, cut.annotations, strict=True):
            print(f"{path}: {images:,} images, {annotations:,} annotations")
    print(
        "COCO's, in datasets/coco/annotations, are coco_2017_fit and the like of configs/Base-RCNN-FPN.yaml; "
        "others need names under DATASETS.OWN.\nNext: docs/DETECTION.md, the learning-rate sweep"
    )


if __name__ == "__main__":
    sys.exit(main())
