"""The command `igdet weights`, from a clone."""

import sys

from igdet.cli.weights import main

if __name__ == "__main__":
    sys.exit(main())
