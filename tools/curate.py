"""The command `igdet curate`, from a clone."""

import sys

from igdet.cli.curate import main

if __name__ == "__main__":
    sys.exit(main())
