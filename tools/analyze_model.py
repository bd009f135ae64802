"""The command `igdet analyze_model`, from a clone."""

import sys

from igdet.cli.analyze_model import main

if __name__ == "__main__":
    sys.exit(main())
