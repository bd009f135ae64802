"""Starts several processes at once that need the same prepared files, and counts those that have and made them."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from record import report, table

# Says that it makes the files, and waits until others have come.
ASK = """
import sys, time
from pathlib import Path
from igdet.utils.cache import made_once

def make(folder):
    (folder / "data").write_text("whole")
    print("made")
    time.sleep(1)

sys.exit((made_once(Path(sys.argv[1]), "a fingerprint", make) / "data").read_text() != "whole")
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=10)
    return parser.parse_args()


def main() -> int:
    """Start them, wait for them, count; the exit status is 1 unless all succeed and one has worked."""
    args = parse_args()
    folder = Path(tempfile.mkdtemp())
    command = [sys.executable, "-c", ASK, str(folder / "cache")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(args.processes)]
    said = [process.communicate()[0] for process in started]
    good, made = sum(process.returncode == 0 for process in started), sum("made" in text for text in said)
    shutil.rmtree(folder)
    report("one_cache", processes=table(["processes", "have the files", "made them"], [(args.processes, good, made)]))
    return int(good < args.processes or made != 1)


if __name__ == "__main__":
    sys.exit(main())
