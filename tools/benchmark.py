"""The command `igdet benchmark`, from a clone."""

import sys

from igdet.cli.benchmark import main

if __name__ == "__main__":
    sys.exit(main())
