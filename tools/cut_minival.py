"""The command `igdet cut_minival`, from a clone."""

import sys

from igdet.cli.cut_minival import main

if __name__ == "__main__":
    sys.exit(main())
