"""The command `igdet find_duplicates`, from a clone."""

import sys

from igdet.cli.find_duplicates import main

if __name__ == "__main__":
    sys.exit(main())
