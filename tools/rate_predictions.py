"""The command `igdet rate_predictions`, from a clone."""

import sys

from igdet.cli.rate_predictions import main

if __name__ == "__main__":
    sys.exit(main())
