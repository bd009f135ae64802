"""Where a curation's numbers come from: when, with which versions, with which settings."""

import yaml

from igdet.curation.manifest import Manifest
from igdet.utils.table import Entry, Table

MOST_FILES = 20  # of a long list in the settings


def stage_table(manifests: dict[str, Manifest]) -> Table:
    """When each stage finished, and how its result is told from others."""
    rows = [
        [
            Entry(stage),
            Entry(manifest.finished),
            Entry(f"{manifest.seconds:,.1f}", "number"),
            Entry(", ".join(f"{name} {version}" for name, version in manifest.versions.items())),
            Entry(manifest.fingerprint, "hash"),
        ]
        for stage, manifest in manifests.items()
    ]
    return Table("", ["Stage", "Finished", "seconds", "Versions", "Fingerprint"], rows)


def settings_text(manifest: Manifest) -> str:
    """A stage's settings as YAML; long lists, as of source files, are cut."""
    return yaml.safe_dump(_cut(manifest.settings), allow_unicode=True, sort_keys=False, default_flow_style=None)


def _cut(value):
    if isinstance(value, dict):
        return {key: _cut(of_key) for key, of_key in value.items()}
    if isinstance(value, list):
        more = [f"and {len(value) - MOST_FILES:,} more"] if len(value) > MOST_FILES else []
        return [*map(_cut, value[:MOST_FILES]), *more]
    return value
