"""The command `igdet tag`, from a clone."""

import sys

from igdet.cli.tag import main

if __name__ == "__main__":
    sys.exit(main())
