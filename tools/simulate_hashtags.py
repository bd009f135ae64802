"""The command `igdet simulate_hashtags`, from a clone."""

import sys

from igdet.cli.simulate_hashtags import main

if __name__ == "__main__":
    sys.exit(main())
