"""The command `igdet list_largest_classes`, from a clone."""

import sys

from igdet.cli.list_largest_classes import main

if __name__ == "__main__":
    sys.exit(main())
