"""The command `igdet study`, from a clone."""

import sys

from igdet.cli.study import main

if __name__ == "__main__":
    sys.exit(main())
