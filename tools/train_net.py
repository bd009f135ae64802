"""The command `igdet train_net`, from a clone."""

import sys

from igdet.cli.train_net import main

if __name__ == "__main__":
    sys.exit(main())
