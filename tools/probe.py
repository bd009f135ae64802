"""The command `igdet probe`, from a clone."""

import sys

from igdet.cli.probe import main

if __name__ == "__main__":
    sys.exit(main())
