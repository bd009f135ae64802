"""The first stage: posts are read, and their hashtags taken out; captions and all else stay behind."""

import json
import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from igdet.curation import engine
from igdet.curation.engine import EngineError, SourceFile
from igdet.curation.reading import BAD, FIELDS, PostReader, format_of
from igdet.curation.settings import Curation, SourceSettings
from igdet.curation.slices import make_parts, slices
from igdet.curation.stages.stage import Result, Stage
from igdet.utils.bad_share import too_many
from igdet.utils.errors import UserError
from igdet.utils.files import atomic_write, read_json_lines

FOLDER = "posts"
SKIPPED_NAME = "skipped.jsonl"  # in a part: the files that cannot be read, and why
BROKEN_FILES = "files that cannot be read"


class SourceError(UserError):
    """Too much of the source cannot be used, or the output would become a part of it."""


def _settings(curation: Curation) -> dict:
    files = engine.list_files(curation.source.paths)
    _refuse_own_output(curation, files)
    PostReader(curation.source, format_of(curation.source, files[0].path))  # refuses what does not go together
    found = [(file.path, file.size, _time_of_change(file.path)) for file in files]
    return {"source": asdict(curation.source), "files": found}


def _refuse_own_output(curation: Curation, files: Sequence[SourceFile]) -> None:
    output = curation.folder.resolve()
    trees = [path.partition("**")[0] for path in curation.source.paths if "**" in path]
    own = [tree for tree in trees if output.is_relative_to(Path(tree).resolve())]
    own += [file.path for file in files if Path(file.path).resolve().is_relative_to(output)]
    if own:
        raise SourceError(
            f"SOURCE.PATHS: {own[0]} would take in what is written to OUTPUT_DIR {output}; choose another"
        )


def _time_of_change(path: str) -> int:
    """When a local file changed last, ns; 0 for a URL."""
    return Path(path).stat().st_mtime_ns if Path(path).exists() else 0


def _run(curation: Curation, fingerprint: str) -> Result:
    source, folder = curation.source, curation.folder / FOLDER
    files = engine.list_files(source.paths)
    wanted = slices({file.path: file.size for file in files}, int(curation.engine.slice_mb * 2**20))
    make = partial(_make, source, format_of(source, files[0].path))
    written = make_parts(folder, fingerprint, wanted, make, FOLDER)
    skipped = _skipped(folder, source, len(files))
    rows = engine.count_rows(written)
    counts = _counted(written)
    for reason in BAD:
        if counts.get(reason, 0) > source.max_bad_share * rows:
            raise SourceError(_rows_are_bad(reason, counts[reason], rows, source))
    return Result(rows, rows, counts | {BROKEN_FILES: skipped}, written)


def _skipped(folder: Path, source: SourceSettings, files: int) -> int:
    """Count the files that could not be read; when these are too many, their parts go, to be tried again."""
    lists = {path: read_json_lines(path) for path in folder.glob(f"part-*/{SKIPPED_NAME}")}
    skipped = [line for lines in lists.values() for line in lines]
    if len(skipped) > source.max_bad_share * files:
        for path, lines in lists.items():
            if lines:
                shutil.rmtree(path.parent)
        raise SourceError(_too_many(len(skipped), files, "files cannot be read", skipped[0]["why"], source))
    return len(skipped)


def _make(source: SourceSettings, source_format: str, paths: Sequence[str], folder: Path) -> None:
    """Read the files of a slice, those with columns of the same types together."""
    reader = PostReader(source, source_format)
    alike, skipped = defaultdict(list), []
    for path in paths:
        try:
            alike[reader.check(engine.column_types(engine.read(source_format, [path])), path)].append(path)
        except UserError as error:
            skipped.append({"file": path, "why": str(error)})
    for number, same in enumerate(alike.values()):
        skipped += _write(reader, source_format, same, folder / str(number))
    with atomic_write(folder / SKIPPED_NAME, "w") as file:
        file.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in skipped)
    _stop_early(sorted(folder.rglob("*.parquet")), source)


def _write(reader: PostReader, source_format: str, paths: Sequence[str], folder: Path) -> list[dict]:
    """Write the posts of files; those that are broken within are found by halving, left out and given back."""
    try:
        frame = engine.read(source_format, paths)
        engine.write(engine.map_batches(frame, reader, reader.inputs, FIELDS), folder)
    except EngineError as error:
        shutil.rmtree(folder, ignore_errors=True)
        if len(paths) == 1:
            return [{"file": paths[0], "why": f"{paths[0]}: {error}"}]
        middle = len(paths) // 2
        halves = {"0": paths[:middle], "1": paths[middle:]}
        return [entry for name, half in halves.items() for entry in _write(reader, source_format, half, folder / name)]
    return []


def _stop_early(files: Sequence[Path], source: SourceSettings) -> None:
    """Stop at a slice that is mostly bad, rather than at the end."""
    rows, counts = engine.count_rows(files), _counted(files)
    for reason in BAD:
        if too_many(counts.get(reason, 0), rows, source.max_bad_share):
            raise SourceError(_rows_are_bad(reason, counts[reason], rows, source))


def _counted(files: Sequence[Path]) -> dict[str, int]:
    tally = engine.sum_up(files, "tally", ["reason"], "posts")
    return dict(zip(tally["reason"].to_pylist(), tally["posts"].to_pylist(), strict=True))


def _rows_are_bad(reason: str, bad: int, rows: int, source: SourceSettings) -> str:
    return _too_many(bad, rows, f"rows are {reason}", f"IMAGE is {source.image!r}", source)


def _too_many(bad: int, of: int, what: str, example: str, source: SourceSettings) -> str:
    return (
        f"{bad:,} of {of:,} {what} ({example}); mend the source or the names of its columns, "
        f"or raise SOURCE.MAX_BAD_SHARE ({source.max_bad_share})"
    )


STAGE = Stage(FOLDER, "reading posts and their hashtags", _settings, _run)
