"""Runs of the pipeline, and what is the same in all of them."""

from igdet.curation import pipeline
from igdet.curation.settings import read_curation

NOT_SAME = ("logs/*.json", "**/plan.json", "duplicates/find.json")  # they say when, and in which folder
STAGES = [stage.name for stage in pipeline.STAGES]
# Runs a config with overrides in a process of its own, and kills that after some seconds; 0 lets it end.
RUN = """
import signal, sys
from igdet.curation import pipeline
from igdet.curation.settings import read_curation
curation = read_curation(sys.argv[1], sys.argv[3:])
signal.setitimer(signal.ITIMER_REAL, float(sys.argv[2]))
pipeline.run(curation)
"""


def run(config, *overrides):
    """Run a config; return the stages that had something to do."""
    said = []
    pipeline.run(read_curation(config, overrides), said.append)
    return [stage for stage in STAGES if f"{stage}: done before" not in said]


def result(output):
    """Return every file of a result whose bytes are the same in every run."""
    others = {path for pattern in NOT_SAME for path in output.glob(pattern)}
    files = (path for path in output.rglob("*") if path.is_file() and path not in others)
    return {str(path.relative_to(output)): path.read_bytes() for path in files}
