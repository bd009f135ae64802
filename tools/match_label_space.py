"""The command `igdet match_label_space`, from a clone."""

import sys

from igdet.cli.match_label_space import main

if __name__ == "__main__":
    sys.exit(main())
