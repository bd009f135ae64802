"""What the command curate does: run a curation, show its state, write its report, list sets."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from igdet.curation import pipeline
from igdet.curation.labels.labelling import canonicaliser_of
from igdet.curation.sets import table_of_sets
from igdet.curation.settings import Curation
from igdet.curation.stage_log import read_stage_log
from igdet.curation.stages import shards, vocabulary
from igdet.formats.shards import read_summary
from igdet.formats.vocabulary import Vocabulary
from igdet.utils.command_lines import this_command_line

_NEXT = {
    shards.FOLDER: "train: MODEL.CLASSIFIER.NUM_CLASSES: {labels}, DATASETS.OWN: {{posts: {shards}}}",
    vocabulary.FOLDER: "shards of these {labels} labels: name the folder of the images, SHARDS: {{IMAGES: ...}}",
}


def run(curation: Curation) -> None:
    """Do what is to do, write the report, and say what comes next."""
    added = f", added to {curation.append_to.folder} ({curation.append_to.vocabulary})" if curation.append_to else ""
    print(
        f"Curating {', '.join(curation.source.paths)} into {curation.folder}{added}, engine: {curation.engine.runner}"
    )
    try:
        pipeline.run(curation)
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on where it stopped: {this_command_line()}", file=sys.stderr)
        sys.exit(130)
    report(curation)
    if curation.shards:
        print(f"set       {read_summary(curation.folder / shards.FOLDER, with_shards=False).name}")
    last = shards.FOLDER if curation.shards else vocabulary.FOLDER
    labels = len(Vocabulary.read(curation.folder / vocabulary.VOCABULARY))
    print(f"next      {_NEXT[last].format(shards=_training_set(curation), labels=labels)}")


def _training_set(curation: Curation) -> str:
    """Return what names the shards in the config of a training; those in a store can be streamed."""
    if curation.shards and curation.shards.to:
        return f"{{KIND: hashtag_stream, ROOT: {curation.shards.to}}}"
    return f"{{KIND: hashtag_shards, ROOT: {curation.folder / shards.FOLDER}}}"


def status(curation: Curation) -> None:
    """Print a line a stage: whether it is done, and what it has come to."""
    rows = [
        [step.stage.name, "done" if step.is_current else "to do", *_facts(curation.folder, step)]
        for step in pipeline.steps(curation)
    ]
    print(tabulate(rows, ["stage", "state", "rows in", "rows out", "seconds", "finished"], intfmt=","))


def list_sets(folders: Sequence[Path]) -> None:
    """Print the sets below folders as a Markdown table."""
    print(table_of_sets(folders).markdown())


def _facts(folder: Path, step: pipeline.Step) -> list:
    manifest = step.manifest
    if manifest is None or not step.is_current:
        return []
    log = read_stage_log(folder, step.stage.name, step.fingerprint)
    return [manifest.rows_in, manifest.rows_out, *([round(log.seconds, 1), log.finished] if log else [])]


def report(curation: Curation) -> Path:
    """Write the report of what there is, and say where."""
    from igdet.curation.report import write_report  # now: its charts take half a second to import

    path = write_report(curation.folder, curation.title, canonicaliser_of(curation.lexicon))
    print(f"report    {path}")
    return path
