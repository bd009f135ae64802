"""The first stage: posts are read, and their hashtags taken out; captions and all else stay behind."""

import json
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from igdet.curation import engine
from igdet.curation.reading import BAD, FIELDS, PostReader, format_of
from igdet.curation.settings import Curation, SourceSettings
from igdet.curation.slices import make_parts, slices
from igdet.curation.stages.stage import Result, Stage
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write, read_json_lines

FOLDER = "posts"
SKIPPED_NAME = "skipped.jsonl"  # in a part: the files that cannot be read, and why
BROKEN_FILES = "files that cannot be read"


class SourceError(UserError):
    """Too much of the source cannot be used."""


def _settings(curation: Curation) -> dict:
    files = engine.list_files(curation.source.paths)
    PostReader(curation.source, format_of(curation.source, files[0].path))  # refuses what does not go together
    found = [(file.path, file.size, _time_of_change(file.path)) for file in files]
    return {"source": asdict(curation.source), "files": found}


def _time_of_change(path: str) -> int:
    """When a local file changed last, ns; 0 for a URL."""
    return os.stat(path).st_mtime_ns if os.path.exists(path) else 0


def _run(curation: Curation, fingerprint: str) -> Result:
    files = engine.list_files(curation.source.paths)
    wanted = slices({file.path: file.size for file in files}, int(curation.engine.slice_mb * 2**20))
    folder = curation.folder / FOLDER
    written = make_parts(folder, fingerprint, wanted, partial(_make, curation.source), FOLDER)
    skipped = [line for path in folder.glob(f"part-*/{SKIPPED_NAME}") for line in read_json_lines(path)]
    if len(skipped) > curation.source.max_bad_share * len(files):
        raise SourceError(
            _too_many(len(skipped), len(files), "files cannot be read", skipped[0]["why"], curation.source)
        )
    rows, counts = _counted(written, curation.source)
    return Result(rows, rows, counts | {BROKEN_FILES: len(skipped)}, written)


def _make(source: SourceSettings, paths: Sequence[str], folder: Path) -> None:
    """Read the files of a slice, those with columns of the same types together."""
    source_format = format_of(source, paths[0])
    reader = PostReader(source, source_format)
    alike, skipped = defaultdict(list), []
    for path in paths:
        try:
            alike[reader.check(engine.column_types(engine.read(source_format, [path])), path)].append(path)
        except UserError as error:
            skipped.append({"file": path, "why": str(error)})
    for same in alike.values():
        frame = engine.read(source_format, same)
        engine.write(engine.map_batches(frame, reader, reader.inputs, FIELDS), folder)
    with atomic_write(folder / SKIPPED_NAME, "w") as file:
        file.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in skipped)
    _counted(sorted(folder.glob("*.parquet")), source)


def _counted(files: Sequence[Path], source: SourceSettings) -> tuple[int, dict[str, int]]:
    """Give the number of rows and why some are worth nothing; stop when these are too many."""
    rows = engine.count_rows(files)
    tally = engine.sum_up(files, "tally", ["reason"], "posts")
    counts = dict(zip(tally["reason"].to_pylist(), tally["posts"].to_pylist(), strict=True))
    for reason in BAD:
        if counts.get(reason, 0) > source.max_bad_share * rows:
            raise SourceError(
                _too_many(counts[reason], rows, f"rows are {reason}", f"IMAGE is {source.image!r}", source)
            )
    return rows, counts


def _too_many(bad: int, of: int, what: str, example: str, source: SourceSettings) -> str:
    return (
        f"{bad:,} of {of:,} {what} ({example}); mend the source or the names of its columns, "
        f"or raise SOURCE.MAX_BAD_SHARE ({source.max_bad_share})"
    )


STAGE = Stage(FOLDER, "reading posts and their hashtags", _settings, _run)
