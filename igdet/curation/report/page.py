"""The report's page: the answer on top, what each finished stage adds to it, and where its numbers come from."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import yaml

from igdet.curation.labels.canonical import Canonicaliser
from igdet.curation.manifest import Manifest
from igdet.curation.report.coverage import coverage_section
from igdet.curation.report.distributions import distributions_section, resampling_section
from igdet.curation.report.entries import percent
from igdet.curation.report.flow import frequent_section, pace_section, posts_section, reasons_section, rules_section
from igdet.curation.report.merges import merges_section, samples
from igdet.curation.report.outcome import Outcome
from igdet.curation.stage_log import StageLog
from igdet.curation.stages import labels, posts, shards, vocabulary
from igdet.reporting.pages import render_page
from igdet.reporting.tables import EMPTY, Entry, Table
from igdet.utils.files import atomic_write
from igdet.utils.messages import clock

MOST_FILES = 20  # of a long list in the settings
NAME = "report.html"
# The stage that must have finished, and the section; in the order of the page.
SECTIONS = (
    (posts.FOLDER, posts_section),
    (labels.FOLDER, rules_section),
    (vocabulary.FOLDER, reasons_section),
    (posts.FOLDER, distributions_section),
    (vocabulary.FOLDER, coverage_section),
    (vocabulary.FOLDER, frequent_section),
    (labels.FOLDER, merges_section),
    (vocabulary.FOLDER, resampling_section),
    (posts.FOLDER, pace_section),
)


def answer(outcome: Outcome) -> list[str]:
    """Say what came in and what came out, as far as it is known."""
    return [sentence(outcome) for stage, sentence in _SENTENCES.items() if stage in outcome.manifests]


def facts(outcome: Outcome) -> list[tuple[str, str]]:
    """Return (number, what it counts) of what is finished."""
    known = [(f"{count(outcome):,}", what) for stage, what, count in _FACTS if stage in outcome.manifests]
    return [*known, (clock(sum(log.seconds for log in outcome.logs.values())), "run time")]


def _posts(outcome: Outcome) -> str:
    return f"{_number_of_posts(outcome):,} posts with {_number_of_tags(outcome):,} hashtags came in."


def _labels(outcome: Outcome) -> str:
    return f"These are {len(outcome.tags):,} different hashtags, which count as {len(outcome.labels):,} labels."


def _vocabulary(outcome: Outcome) -> str:
    manifest = outcome.manifests[vocabulary.FOLDER]
    recipe = manifest.setting("vocabulary", "name")
    return (
        f"The vocabulary “{recipe}” has {len(outcome.kept):,} of these labels. It covers {_coverage(outcome)} of the "
        f"hashtags, and {percent(manifest.rows_out, manifest.rows_in)} of the posts carry at least one of its labels."
    )


def _shards(outcome: Outcome) -> str:
    return f"{outcome.manifests[shards.FOLDER].rows_out:,} posts are in shards: the set {outcome.set_name}."


def _coverage(outcome: Outcome) -> str:
    """The share of the hashtags, each once a post, that count as a label of the vocabulary."""
    tags = outcome.tags
    covered = tags.filter(pc.is_in(tags["label"], outcome.kept["label"]))
    return percent(*(pc.sum(table["posts"]).as_py() or 0 for table in (covered, tags)))


def _number_of_posts(outcome: Outcome) -> int:
    return outcome.manifests[posts.FOLDER].rows_out


def _number_of_tags(outcome: Outcome) -> int:
    return int(np.arange(len(outcome.tags_per_post)) @ outcome.tags_per_post)


# Stage -> what it lets one say.
_SENTENCES = {posts.FOLDER: _posts, labels.FOLDER: _labels, vocabulary.FOLDER: _vocabulary, shards.FOLDER: _shards}
# Stage, what is counted once it has finished, how.
_FACTS = (
    (posts.FOLDER, "posts", _number_of_posts),
    (posts.FOLDER, "hashtags", _number_of_tags),
    (labels.FOLDER, "different hashtags", lambda outcome: len(outcome.tags)),
    (labels.FOLDER, "labels", lambda outcome: len(outcome.labels)),
    (vocabulary.FOLDER, "labels in the vocabulary", lambda outcome: len(outcome.kept)),
    (vocabulary.FOLDER, "posts with a label", lambda outcome: outcome.manifests[vocabulary.FOLDER].rows_out),
    (shards.FOLDER, "posts in shards", lambda outcome: outcome.manifests[shards.FOLDER].rows_out),
)


def stage_table(manifests: dict[str, Manifest], logs: dict[str, StageLog]) -> Table:
    """When each stage finished, and how its result is told from others."""
    rows = [
        [
            Entry(stage),
            *_when(logs.get(stage)),
            Entry(", ".join(f"{name} {version}" for name, version in manifest.versions.items())),
            Entry(manifest.fingerprint, "hash"),
        ]
        for stage, manifest in manifests.items()
    ]
    return Table("", ["Stage", "Finished", "seconds", "Versions", "Fingerprint"], rows)


def _when(log: StageLog | None) -> list[Entry]:
    return [Entry(log.finished), Entry(f"{log.seconds:,.1f}", "number")] if log else [Entry(EMPTY)] * 2


def settings_text(manifest: Manifest) -> str:
    """A stage's settings as YAML; long lists, as of source files, are cut."""
    return yaml.safe_dump(_cut(manifest.settings), allow_unicode=True, sort_keys=False, default_flow_style=None)


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cut(of_key) for key, of_key in value.items()}
    if isinstance(value, list):
        more = [f"and {len(value) - MOST_FILES:,} more"] if len(value) > MOST_FILES else []
        return [*map(_cut, value[:MOST_FILES]), *more]
    return value


def write_report(folder: Path, title: str, canonicaliser: Canonicaliser) -> Path:
    """Write the report of what is finished, in place of an earlier one.

    Args:
        folder: the output folder of the curation.
        title: of the page.
        canonicaliser: from hashtags to labels, as in the curation.

    Returns:
        The path of the HTML page.

    Raises:
        ManifestError: a manifest cannot be read.
        ShardError: the shards' summary cannot be read.
        OSError: the disk is full or not writable.
    """
    outcome = Outcome(folder, canonicaliser)
    found = [make(outcome) for stage, make in SECTIONS if stage in outcome.manifests]
    page = render_page(
        "igdet.curation.report",
        title=title,
        answer=answer(outcome) or ["No stage has finished yet."],
        facts=facts(outcome),
        warnings=_warnings(outcome),
        sections=[section for section in found if section],
        samples=samples(outcome) if vocabulary.FOLDER in outcome.manifests else [],
        stages=stage_table(outcome.manifests, outcome.logs),
        settings={stage: settings_text(manifest) for stage, manifest in outcome.manifests.items()},
    )
    with atomic_write(folder / NAME, "w") as file:
        file.write(page)
    return folder / NAME


def _warnings(outcome: Outcome) -> list[str]:
    missing = " and ".join(outcome.unfinished)
    return [f"Not finished: {missing}. The same command goes on where it stopped."] if missing else []
