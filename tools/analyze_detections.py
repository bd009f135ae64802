"""The command `igdet analyze_detections`, from a clone."""

import sys

from igdet.cli.analyze_detections import main

if __name__ == "__main__":
    sys.exit(main())
