"""What a stage is to the pipeline."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from igdet.curation.pace import Step
from igdet.curation.settings import Curation


@dataclass(frozen=True)
class Result:
    """What a stage has done.

    Attributes:
        rows_in: rows that it read.
        rows_out: rows that it wrote.
        counts: why there are more or less of them, and what else was left out: reason -> number.
        files: what it has written; none for a stage that checks its files itself.
        notes: what was found out about its input.
        steps: how fast it went.
        stored: what it has written to a store: address -> {"bytes", "sha256"}.
    """

    rows_in: int
    rows_out: int
    counts: dict[str, int] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    stored: dict[str, dict] = field(default_factory=dict)


class Stage(NamedTuple):
    """A stage.

    Attributes:
        name: also of its folder in the output folder.
        says: what it does, for the progress.
        settings: its sections of the config, with what they point at: all that its result depends on besides the
            stage before it. Raises a UserError when something cannot be used: it is called before any work.
        run: does it; is given the curation, the fingerprint of all that it depends on.
        is_wanted: whether the config asks for it.
        claim: makes sure, before any work, that its result can be written where that is not the output folder.
    """

    name: str
    says: str
    settings: Callable[[Curation], dict]
    run: Callable[[Curation, str], Result]
    is_wanted: Callable[[Curation], bool] = lambda curation: True
    claim: Callable[[Curation], None] = lambda curation: None
