"""Check a data set on disk: counts, classes, missing and broken images, images that two of its parts share.

igdet check_dataset cub2011                       a target by name, under $DETECTRON2_DATASETS (datasets)
igdet check_dataset imagenet1k_val --root DIR     one of its parts, under another folder
igdet check_dataset configs/.../finetune.yaml     the data sets of a config
igdet check_dataset datasets/tiny-imagenet        class folders below train and val
"""

import argparse
import sys

from igdet.formats.targets import datasets_folder
from igdet.utils.command_lines import as_started
from igdet.utils.errors import one_line_errors
from igdet.utils.messages import printable


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=as_started(__doc__), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", help="a target, one of its data sets, a config, or a folder")
    parser.add_argument("--root", default=datasets_folder(), help="folder of all data sets (default %(default)s)")
    parser.add_argument("--decode", action="store_true", help="decode every image whole, not only its header")
    parser.add_argument("--processes", type=int, default=1, help="that read images (default 1)")
    parser.add_argument("--download", action="store_true", help="first let torchvision fetch what it can")
    return parser.parse_args()


@one_line_errors()
def main() -> int:
    """Check; return the exit status, 1 when something is wrong."""
    args = parse_args()
    from igdet.data.checking import Options, check, report, sets_of  # now: PyTorch takes seconds
    from igdet.data.readers.torchvision_sets import download

    sets = sets_of(args.what, args.root)
    if args.download:
        for named in sets:
            download(named.fields)
    checked = check(sets, Options(args.decode, args.processes))
    print(printable("\n".join(report(args.what, checked))))
    return int(any(one.findings for one in checked))


if __name__ == "__main__":
    sys.exit(main())
