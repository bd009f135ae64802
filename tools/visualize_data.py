"""The command `igdet visualize_data`, from a clone."""

import sys

from igdet.cli.visualize_data import main

if __name__ == "__main__":
    sys.exit(main())
