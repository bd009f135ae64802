"""The command `igdet evaluate_coco`, from a clone."""

import sys

from igdet.cli.evaluate_coco import main

if __name__ == "__main__":
    sys.exit(main())
