"""The command `igdet check_dataset`, from a clone."""

import sys

from igdet.cli.check_dataset import main

if __name__ == "__main__":
    sys.exit(main())
