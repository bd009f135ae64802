"""The pipeline: each stage is done when its manifest is not current."""

import time
from collections.abc import Callable
from typing import NamedTuple

from igdet.curation import engine
from igdet.curation.manifest import Manifest, file_facts, now, read_manifest, versions
from igdet.curation.settings import Curation
from igdet.curation.stages import duplicates, labels, posts, shards, vocabulary
from igdet.curation.stages.stage import Stage
from igdet.utils.cache import locked
from igdet.utils.files import remove_unfinished
from igdet.utils.hashing import fingerprint

STAGES = (posts.STAGE, labels.STAGE, vocabulary.STAGE, duplicates.STAGE, shards.STAGE)
_LAYOUT = 3  # of what stages write; raise it when that changes, so that everything is made again


class Step(NamedTuple):
    """A stage of one curation.

    Attributes:
        stage: the stage.
        settings: its part of the config, with hashes of the files that it names.
        fingerprint: a hash of these and of all stages before.
        manifest: of an earlier run, None without one.
        is_current: whether that says that nothing is to do.
    """

    stage: Stage
    settings: dict
    fingerprint: str
    manifest: Manifest | None
    is_current: bool


def steps(curation: Curation) -> list[Step]:
    """Check the config, and find out what is to do.

    Raises:
        UserError: something in the config cannot be used.
    """
    engine.start(curation.engine)
    found: list[Step] = []
    before = ""
    for stage in STAGES:
        if not stage.is_wanted(curation):
            continue
        settings = stage.settings(curation)
        before = fingerprint(_LAYOUT, stage.name, settings, before)
        manifest = read_manifest(curation.folder, stage.name)
        is_current = manifest is not None and manifest.is_current(before, curation.folder)
        found.append(Step(stage, settings, before, manifest, is_current))
    return found


def run(curation: Curation, say: Callable[[str], None] = print) -> None:
    """Do what is to do; the manifest of a stage is written last.

    Args:
        curation: the config.
        say: is given lines of progress.

    Raises:
        UserError: something cannot be used, or another run is at work in the output folder.
        OSError: the disk is full or not writable; run again when it is fixed.
    """
    with locked(curation.folder):
        remove_unfinished(curation.folder)
        for step in steps(curation):
            if step.is_current:
                say(f"{step.stage.name}: done before")
                continue
            say(f"{step.stage.name}: {step.stage.says}")
            manifest = _do(curation, step)
            for note in manifest.notes:
                say(f"{step.stage.name}: {note}")
            say(f"{step.stage.name}: {manifest.rows_in:,} rows in, {manifest.rows_out:,} out, {manifest.seconds:.1f} s")


def _do(curation: Curation, step: Step) -> Manifest:
    started = time.monotonic()
    result = step.stage.run(curation, step.fingerprint)
    manifest = Manifest(
        stage=step.stage.name,
        fingerprint=step.fingerprint,
        settings=step.settings,
        versions=versions(engine.VERSION),
        finished=now(),
        seconds=time.monotonic() - started,
        rows_in=result.rows_in,
        rows_out=result.rows_out,
        counts=result.counts,
        files=file_facts(curation.folder, result.files),
        notes=result.notes,
    )
    manifest.write(curation.folder)
    return manifest
