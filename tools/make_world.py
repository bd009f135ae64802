"""The command `igdet make_world`, from a clone."""

import sys

from igdet.cli.make_world import main

if __name__ == "__main__":
    sys.exit(main())
