"""Logs: when, where and how fast a stage was done; kept apart from manifests, which are the same in every run."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from igdet.curation.pace import Step
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write, read_json
from igdet.utils.yaml import ConfigError, from_mapping

FOLDER = "logs"  # in the output folder: one file a stage


@dataclass(frozen=True)
class StageLog:
    """How a stage was done in its last run.

    Attributes:
        stage: its name.
        fingerprint: that of its manifest.
        finished: time in UTC, ISO 8601.
        seconds: that it took, in its last run.
        steps: how fast each of its steps went.
        begun_again: files and folders that were left half-written by lost processes or machines, and made again.
    """

    stage: str
    fingerprint: str
    finished: str
    seconds: float
    steps: list[Step] = field(default_factory=list)
    begun_again: list[str] = field(default_factory=list)

    def write(self, output: Path) -> None:
        """Write it into the output folder."""
        with atomic_write(_path(output, self.stage), "w") as file:
            json.dump(asdict(self), file, indent=1, ensure_ascii=False)


def read_stage_log(output: Path, stage: str, fingerprint: str) -> StageLog | None:
    """Read a stage's log; None where there is none of this result, or a broken one: nothing depends on it.

    Args:
        output: the output folder.
        stage: its name.
        fingerprint: of the result.
    """
    try:
        saved = read_json(_path(output, stage), "the log of a stage")
        log = from_mapping(StageLog, _upper(saved), "it")
    except (UserError, ConfigError):
        return None
    return log if log.fingerprint == fingerprint else None


def _upper(node: object) -> object:
    """Write the keys of mappings as the fields of dataclasses are in YAML."""
    if isinstance(node, dict):
        return {key.upper(): _upper(value) for key, value in node.items()}
    return [_upper(value) for value in node] if isinstance(node, list) else node


def _path(output: Path, stage: str) -> Path:
    return output / FOLDER / f"{stage}.json"


def now() -> str:
    """The time, UTC, ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
