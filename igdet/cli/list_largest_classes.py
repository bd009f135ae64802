"""Write the list of the classes with the most images of a folder-per-class set, for a data set's field CLASSES.

ImageNet-5k and -9k, from the Fall 2011 release of ImageNet:
igdet list_largest_classes datasets/imagenet22k/images --count 5000 --out datasets/imagenet22k/imagenet5k.txt
igdet list_largest_classes datasets/imagenet22k/images --count 9000 --out datasets/imagenet22k/imagenet9k.txt
"""

import argparse
import sys

from igdet.data.readers.image_folder import largest_classes
from igdet.formats.class_lists import read_class_list
from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors
from igdet.utils.files import atomic_write


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=as_started(__doc__), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", help="folder with one folder of images a class")
    parser.add_argument("--count", type=int, required=True, help="number of classes")
    parser.add_argument("--out", required=True, help="the list: one class a line, sorted")
    parser.add_argument(
        "--first",
        default="timm:imagenet-1k",
        help="classes that are taken in any case where they have a folder: a file or a list of timm's; '' for none "
        "(default %(default)s)",
    )
    return parser.parse_args()


@one_line_errors()
def main() -> None:
    """Choose the classes and write them."""
    args = parse_args()
    first = read_class_list(args.first) if args.first else []
    chosen = largest_classes(args.root, args.count, first)
    with atomic_write(args.out, "w") as file:
        file.writelines(f"{name}\n" for name in chosen)
    print(f"{len(chosen):,} classes, {len(set(chosen) & set(first)):,} of them wanted in any case: {args.out}")


if __name__ == "__main__":
    sys.exit(main())
