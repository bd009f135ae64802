"""The pipeline: each stage is done when its manifest is not current."""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import NamedTuple

from igdet.curation import engine
from igdet.curation.appending import AppendSettings
from igdet.curation.manifest import LAYOUT, Manifest, file_facts, read_manifest, versions
from igdet.curation.settings import Curation
from igdet.curation.stage_log import StageLog, now
from igdet.curation.stages import duplicates, labels, posts, shards, vocabulary
from igdet.curation.stages.stage import Stage
from igdet.utils.cache import locked
from igdet.utils.files import remove_unfinished
from igdet.utils.hashing import fingerprint
from igdet.utils.messages import brief

STAGES = (posts.STAGE, labels.STAGE, vocabulary.STAGE, duplicates.STAGE, shards.STAGE)


class Step(NamedTuple):
    """A stage of one curation.

    Attributes:
        stage: the stage.
        settings: its part of the config, with hashes of the files that it names.
        fingerprint: a hash of these and of all stages before.
        before: that of the stage before; "" for the first.
        manifest: of an earlier run, None without one.
        is_current: whether that says that nothing is to do.
    """

    stage: Stage
    settings: dict
    fingerprint: str
    before: str
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
        settings = stage.settings(curation) | _earlier(curation, stage)
        own = fingerprint(LAYOUT, stage.name, settings, before)
        manifest = read_manifest(curation.folder, stage.name)
        is_current = manifest is not None and manifest.is_current(own, curation.folder)
        found.append(Step(stage, settings, own, before, manifest, is_current))
        before = own
    return found


def _earlier(curation: Curation, stage: Stage) -> dict:
    """Return what a stage depends on where posts are added to an earlier curation: the choice, and its result there."""
    if curation.append_to is None:
        return {}
    manifest = curation.append_to.manifest(stage.name)
    return {"append_to": {"vocabulary": curation.append_to.vocabulary, "earlier": manifest and manifest.fingerprint}}


def run(curation: Curation, say: Callable[[str], None] = print) -> None:
    """Do what is to do; the manifest of a stage is written last.

    Args:
        curation: the config.
        say: is given lines of progress.

    Raises:
        UserError: something cannot be used, or another run is at work in the output folder, or in the one that posts
            are added to.
        OSError: the disk is full or not writable; run again when it is fixed.
    """
    with locked(curation.folder), _undisturbed(curation.append_to):
        remove_unfinished(curation.folder)
        found = steps(curation)
        for step in found:
            if not step.is_current:
                step.stage.claim(curation)
        for step in found:
            if step.is_current:
                say(f"{step.stage.name}: done before")
                continue
            say(f"{step.stage.name}: {step.stage.says}")
            manifest, log = _do(curation, step)
            for note in [*manifest.notes, *log.steps]:
                say(f"{step.stage.name}: {note}")
            if log.begun_again:
                say(f"{step.stage.name}: made again after a loss: {brief(', '.join(log.begun_again))}")
            say(f"{step.stage.name}: {manifest.rows_in:,} rows in, {manifest.rows_out:,} out, {log.seconds:.1f} s")


def _undisturbed(earlier: AppendSettings | None) -> AbstractContextManager:
    """Keep other runs out of an earlier curation, while files of it are carried over; nobody can run in an archive."""
    can_change = earlier is not None and earlier.folder.is_dir() and os.access(earlier.folder, os.W_OK)
    return locked(earlier.folder) if earlier and can_change else nullcontext()


def _known_facts(curation: Curation, stage: str) -> Callable[[Path], dict | None]:
    """Return what knows the hashes of files that are carried over: they need not be read."""
    manifest = curation.append_to.manifest(stage) if curation.append_to else None
    if curation.append_to is None or manifest is None:
        return lambda path: None
    return partial(curation.append_to.facts_of_link, manifest, curation.folder)


def _do(curation: Curation, step: Step) -> tuple[Manifest, StageLog]:
    started = time.monotonic()
    result = step.stage.run(curation, step.fingerprint)
    begun_again = remove_unfinished(curation.folder / step.stage.name)
    manifest = Manifest(
        stage=step.stage.name,
        fingerprint=step.fingerprint,
        before=step.before,
        settings=step.settings,
        versions=versions(engine.VERSION),
        rows_in=result.rows_in,
        rows_out=result.rows_out,
        counts=result.counts,
        files=file_facts(curation.folder, result.files, _known_facts(curation, step.stage.name)) | result.stored,
        notes=result.notes,
    )
    seconds = time.monotonic() - started
    log = StageLog(step.stage.name, step.fingerprint, now(), seconds, result.steps, begun_again)
    log.write(curation.folder)
    manifest.write(curation.folder)
    return manifest, log
