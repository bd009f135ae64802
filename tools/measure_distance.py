"""The command `igdet measure_distance`, from a clone."""

import sys

from igdet.cli.measure_distance import main

if __name__ == "__main__":
    sys.exit(main())
