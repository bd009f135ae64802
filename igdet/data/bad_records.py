"""Bad records: counted, named in a log and skipped up to a share, beyond which the run stops."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from detectron2.utils import comm

from igdet.formats.errors import DatasetError
from igdet.utils.errors import ALWAYS_TOLERATED, too_many
from igdet.utils.files import read_json_lines

logger = logging.getLogger(__name__)

MAX_REPLACEMENTS = 10  # bad records in a row: even where one in three may be bad, that is a chance of 1 in 59,049
LOG_NAME = "bad_records.jsonl"


class BadRecordsError(DatasetError):
    """More bad records than DATASETS.MAX_BAD_SHARE allows."""


def bad_in_a_row(bad: Sequence[tuple[str, str]]) -> BadRecordsError:
    """Make the error for a run of bad records that is no accident.

    Args:
        bad: name and reason of each.
    """
    named = "; ".join(f"{name}: {why}" for name, why in bad[:3])
    return BadRecordsError(
        f"{len(bad)} records in a row are bad, the first ones {named}. Chance does not do that: is the data set's ROOT "
        "right, and are its files whole?"
    )


class BadRecordLog:
    """Counts the bad records of one data set and names each, once, as a line of JSON.

    Args:
        folder: where the log `bad_records.jsonl` lies; made when the first bad record comes.
        data_set: the data set's name.
        max_share: share of the records seen, 0..1, that may be bad.
        names: whether this process names them; where all ranks read the same records, the main one does.
    """

    def __init__(self, folder: str | Path, data_set: str, max_share: float, names: bool = True):
        self.path = Path(folder) / LOG_NAME
        self.data_set = data_set
        self.max_share = max_share
        self._names = names
        self.seen = 0
        self.bad = 0
        self.notes: list[str] = []  # what else is to be known of the data set
        self._last = ""
        self._named = _names_in(self.path, data_set)

    def add(self, seen: int, bad: Sequence[tuple[str, str]]) -> None:
        """Count records.

        Args:
            seen: how many samples were delivered since the last call, replaced and grey ones included.
            bad: name and reason of each bad one.

        Raises:
            BadRecordsError: the share of bad records is now too large.
        """
        self.seen += seen
        self.bad += len(bad)
        self._last = ": ".join(bad[-1]) if bad else self._last
        self._name(bad)
        if bad and too_many(self.bad, self.seen, self.max_share):
            name, why = bad[-1]
            raise BadRecordsError(
                f"{self.data_set}: {self.bad} of {self.seen} records are bad, the last one {name}: {why}. "
                f"{self.path} names each; fix them or raise DATASETS.MAX_BAD_SHARE ({self.max_share})"
            )

    def require_good(self) -> None:
        """Refuse what was read when all of it is bad, however little that is.

        Raises:
            BadRecordsError: this process, alone, has seen bad records only.
        """
        if 0 < self.seen <= self.bad and comm.get_world_size() == 1:
            raise BadRecordsError(
                f"{self.data_set}: all {self.seen} records are bad, the last one {self._last}; {self.path} names each"
            )

    def _name(self, bad: Sequence[tuple[str, str]]) -> None:
        new = {name: why for name, why in bad if name not in self._named}
        if not new or not self._names:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            for name, why in new.items():
                file.write(json.dumps({"data_set": self.data_set, "name": name, "why": why}) + "\n")
        for name in list(new)[: max(0, ALWAYS_TOLERATED - len(self._named))]:
            logger.warning(f"{self.data_set}: bad record {name}: {new[name]} (logged in {self.path})")
        self._named |= new.keys()


def _names_in(path: Path, data_set: str) -> set[str]:
    """The bad records of a data set that earlier loaders of the run have named already."""
    return {record["name"] for record in read_json_lines(path) if record["data_set"] == data_set}


class CheckedLoader:
    """A data loader that takes the reports of bad records, which samples carry, into a log.

    Args:
        loader: yields batches whose samples may carry "bad_records": a list of (name, why).
        log: counts them and stops the run.
        unpack: makes the list of samples of what `loader` yields.
    """

    def __init__(self, loader: Any, log: BadRecordLog, unpack: Callable[[Any], list[dict]] = list):
        self.loader = loader
        self.log = log
        self._unpack = unpack

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[list[dict]]:
        for packed in self.loader:
            batch = self._unpack(packed)
            bad = [report for sample in batch for report in sample.pop("bad_records", ())]
            self.log.add(len(batch), bad)
            yield batch
        self.log.require_good()
