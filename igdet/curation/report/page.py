"""The report's page: what each finished stage adds to it."""

from pathlib import Path

from igdet.curation.canonical import Canonicaliser
from igdet.curation.report.answer import answer, facts
from igdet.curation.report.coverage import coverage_section
from igdet.curation.report.distributions import distributions_section
from igdet.curation.report.flow import posts_section, rules_section
from igdet.curation.report.frequent import frequent_section, reasons_section
from igdet.curation.report.merges import merges_section
from igdet.curation.report.outcome import Outcome
from igdet.curation.report.provenance import settings_text, stage_table
from igdet.curation.report.resampling import resampling_section
from igdet.curation.report.samples import samples
from igdet.curation.stages import labels, posts, vocabulary
from igdet.utils.files import atomic_write
from igdet.utils.page import render_page

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
)


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
        stages=stage_table(outcome.manifests),
        settings={stage: settings_text(manifest) for stage, manifest in outcome.manifests.items()},
    )
    with atomic_write(folder / NAME, "w") as file:
        file.write(page)
    return folder / NAME


def _warnings(outcome: Outcome) -> list[str]:
    missing = " and ".join(outcome.unfinished)
    return [f"Not finished: {missing}. The same command goes on where it stopped."] if missing else []
