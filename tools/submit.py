"""The command `igdet submit`, from a clone."""

import sys

from igdet.cli.submit import main

if __name__ == "__main__":
    sys.exit(main())
