"""The command `igdet check_configs`, from a clone."""

import sys

from igdet.cli.check_configs import main

if __name__ == "__main__":
    sys.exit(main())
