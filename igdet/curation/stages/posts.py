"""The first stage: posts are read, and their hashtags taken out; captions and all else stay behind."""

import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow.compute as pc
import pyarrow.parquet as pq

from igdet.curation import engine
from igdet.curation.engine import EngineError, SourceFile
from igdet.curation.reading import BAD, BROKEN_LINE, FIELDS, NO_TAGS, PostReader, SourceSettings, format_of
from igdet.curation.settings import Curation
from igdet.curation.slices import make_parts, parquet_files, part_folders, planned, slices
from igdet.curation.stages.stage import Result, Stage
from igdet.formats.posts.text_table import KINDS, TextTable, open_table
from igdet.utils.errors import ALWAYS_TOLERATED, UserError, too_many
from igdet.utils.files import atomic_write, read_json_lines
from igdet.utils.messages import shown

FOLDER = "posts"
POSTS_NAME = "posts.parquet"  # in a part, in a folder for each group of files with the same columns
SKIPPED_NAME = "skipped.jsonl"  # in a part: the files that cannot be read, and why
WRONG_NAME = "wrong_rows.jsonl"  # in a part: what is wrong with its first wrong rows
NOTES_NAME = "notes.jsonl"  # in a part: how its CSV and JSON lines were read
BROKEN_FILES = "files that cannot be read"
_MAX_NAMED = 1000  # wrong rows of a part
_NEARLY_ALL = 0.99  # of the posts without a hashtag: then the column is none of hashtags
_SHOWN_CELLS = 3


class SourceError(UserError):
    """Too much of the source cannot be used, or the output would become a part of it."""


def _settings(curation: Curation) -> dict:
    files = engine.list_files(curation.source.paths)
    _refuse_own_output(curation, files)
    plan = _plan(curation, files)
    PostReader(curation.source, format_of(curation.source, plan.files[0].path))  # refuses what does not go together
    facts = {"files": list(map(_facts, plan.files)), "read_before": plan.read_before}
    return {"source": asdict(curation.source), **facts}


class _Plan(NamedTuple):
    """What is read, and what is not read again.

    Attributes:
        files: of the source, that are read.
        carried: parts of the earlier curation.
        slices: the files of each of these.
        read_before: facts of all files that the earlier curations have read and that are not read again.
    """

    files: list[SourceFile]
    carried: list[Path]
    slices: list[list[str]]
    read_before: list[tuple]


def carried_parts(curation: Curation) -> list[Path]:
    """Return the parts of the earlier curation that are carried over."""
    return _plan(curation, engine.list_files(curation.source.paths)).carried


def _plan(curation: Curation, files: list[SourceFile]) -> _Plan:
    """Find the files of a source that an earlier curation has not read as they are now.

    Of a file that has changed its whole part is read again, as long as all files of that are listed: no post counts
    twice then.

    Raises:
        SourceError: there is none.
    """
    if curation.append_to is None:
        return _Plan(files, [], [], [])
    settings, folder = curation.append_to.needed(FOLDER).settings, curation.append_to.folder / FOLDER
    parts = dict(zip(part_folders(folder), planned(folder), strict=True))
    unread = _unread(parts)
    read = {tuple(facts) for facts in (*settings["read_before"], *settings["files"]) if facts[0] not in unread}
    listed, before = {file.path for file in files}, {path for path, *_ in read}
    changed = before & {file.path for file in files if _facts(file) not in read}
    stale = {part for part, paths in parts.items() if listed.issuperset(paths) and not changed.isdisjoint(paths)}
    again = {path for part in stale for path in parts[part]}
    new = [file for file in files if file.path in again or _facts(file) not in read]
    if not new:
        raise SourceError(
            f"SOURCE.PATHS: all {len(files):,} files, the first is {files[0].path}, have been read by the curation "
            "that APPEND_TO names: there is nothing to add"
        )
    kept = {part: paths for part, paths in parts.items() if part not in stale}
    return _Plan(new, [*kept], [*kept.values()], sorted(facts for facts in read if facts[0] not in again))


def _unread(parts: Mapping[Path, Sequence[str]]) -> set[str]:
    """Return the files of parts that could not be read, and have not been in a later part."""
    unread: set[str] = set()
    for part, paths in parts.items():
        unread = unread.difference(paths) | {line["file"] for line in _skipped([part])}
    return unread


def _facts(file: SourceFile) -> tuple[str, int, int]:
    """Return what tells a file from another: its path, its size, and when it changed last."""
    return file.path, file.size, _time_of_change(file.path)


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
    plan = _plan(curation, engine.list_files(source.paths))
    new = slices({file.path: file.size for file in plan.files}, int(curation.engine.slice_mb * 2**20))
    make = partial(_make, source, format_of(source, plan.files[0].path))
    parts = make_parts(folder, fingerprint, [*plan.slices, *new], make, FOLDER, plan.carried)
    _refuse_bad(curation, parts.folders[len(plan.carried) :], len(plan.files))
    rows = engine.count_rows(parts.files)
    broken = _unread(dict(zip(parts.folders, planned(folder), strict=True)))
    counts = _counted(parts.files) | {BROKEN_FILES: len(broken)}
    return Result(rows, rows, counts, parts.files, _notes(folder), [parts.step])


def _refuse_bad(curation: Curation, parts: Sequence[Path], files: int) -> None:
    """Stop where too much of the source's files is bad, or holds no hashtags."""
    source, written = curation.source, parquet_files(parts)
    tolerated = ALWAYS_TOLERATED if curation.append_to else 0  # what is added may be little: its share says nothing
    _refuse_skipped(parts, source, files, tolerated)
    rows, counts = engine.count_rows(written), _counted(written)
    for reason in BAD:
        if counts.get(reason, 0) > max(tolerated, source.max_bad_share * rows):
            raise SourceError(_rows_are_bad(reason, counts[reason], rows, source, parts))
    usable = rows - sum(counts.get(reason, 0) for reason in BAD)
    if usable > tolerated:
        _require_hashtags(curation, counts.get(NO_TAGS, 0), usable)


def _require_hashtags(curation: Curation, without: int, usable: int) -> None:
    """Stop when the column cannot be what it is said to be."""
    if (without < usable and (without <= _NEARLY_ALL * usable or usable <= ALWAYS_TOLERATED)) or not usable:
        return
    source = curation.source
    key = "CAPTION" if source.caption else "TAGS"
    cells = "; ".join(map(shown, _first_cells(curation))) or "nothing at all"
    raise SourceError(
        f"{without:,} of {usable:,} posts have no hashtag in SOURCE.{key} {shown(source.columns.text)}, whose first "
        f"cells hold {cells}; name the column with "
        + (
            "a text that holds #tags (TAGS for a list of hashtags)"
            if source.caption
            else "hashtags (CAPTION for #tags)"
        )
    )


def _first_cells(curation: Curation) -> list[object]:
    """Read what is where hashtags should be."""
    source = curation.source
    path = _plan(curation, engine.list_files(source.paths)).files[0].path
    source_format = format_of(source, path)
    if source_format in KINDS:
        table = open_table(path, source_format, source.columns, source.text_format, engine.open_url)
        return table.cells(_SHOWN_CELLS)
    return engine.first_cells(engine.read(source_format, [path]), source.columns.text, _SHOWN_CELLS)


def _notes(folder: Path) -> list[str]:
    """Say how CSV and JSON lines were read, the usual way last."""
    counted = Counter(note for path in sorted(folder.glob(f"part-*/{NOTES_NAME}")) for note in read_json_lines(path))
    return [
        f"{count:,} file{'s' * (count > 1)} read as {note}"
        for note, count in sorted(counted.items(), key=lambda c: c[1])
    ]


def _skipped(parts: Sequence[Path]) -> list[dict]:
    """The files that could not be read."""
    return [line for part in parts for line in read_json_lines(part / SKIPPED_NAME)]


def _refuse_skipped(parts: Sequence[Path], source: SourceSettings, files: int, tolerated: int) -> None:
    """Stop where too many files could not be read; their parts go, to be tried again."""
    skipped = _skipped(parts)
    if len(skipped) <= max(tolerated, source.max_bad_share * files):
        return
    for part in parts:
        if _skipped([part]):
            shutil.rmtree(part)
    raise SourceError(_too_many(len(skipped), files, "files cannot be read", skipped[0]["why"], source))


def _make(source: SourceSettings, source_format: str, paths: Sequence[str], folder: Path) -> None:
    """Read the files of a slice, those with columns of the same types together."""
    reader = PostReader(source, source_format)
    alike, skipped, notes = defaultdict(list), [], []
    for path in paths:
        try:
            kind, file = _opened(reader, source, source_format, path)
            alike[kind].append(file)
            notes += [file.note] if isinstance(file, TextTable) else []
        except (UserError, OSError) as error:
            skipped.append({"file": path, "why": str(error) if path in str(error) else f"{path}: {error}"})
    for number, same in enumerate(alike.values()):
        skipped += _write(reader, source_format, same, folder / str(number))
    files = sorted(folder.rglob("*.parquet"))
    said: dict[str, Iterable] = {SKIPPED_NAME: skipped, NOTES_NAME: notes, WRONG_NAME: _wrong_rows(files)}
    for name, entries in said.items():
        with atomic_write(folder / name, "w") as out:
            out.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
    _stop_early(files, source)


def _opened(reader: PostReader, source: SourceSettings, source_format: str, path: str) -> tuple[str, str | TextTable]:
    """Find out how a file is to be read, and check that it has the columns."""
    if source_format in KINDS:
        return "", open_table(path, source_format, source.columns, source.text_format, engine.open_url)
    return reader.check(engine.column_types(engine.read(source_format, [path])), path), path


def _write(reader: PostReader, source_format: str, files: Sequence[str | TextTable], folder: Path) -> list[dict]:
    """Write the posts of files; those that are broken within are found by halving, left out and given back."""
    try:
        frame = engine.read(source_format, files)
        engine.write(engine.map_batches(frame, reader, reader.inputs, FIELDS), folder / POSTS_NAME)
    except EngineError as error:
        shutil.rmtree(folder, ignore_errors=True)
        if len(files) == 1:
            path = getattr(files[0], "path", files[0])
            return [{"file": path, "why": f"{path}: {error}"}]
        middle = len(files) // 2
        halves = {"0": files[:middle], "1": files[middle:]}
        return [entry for name, half in halves.items() for entry in _write(reader, source_format, half, folder / name)]
    return []


def _wrong_rows(files: Sequence[Path]) -> list[str]:
    """What is wrong with the first rows that are."""
    found = (
        pq.read_table(file, columns=["fault"], partitioning=None, filters=pc.field("fault").is_valid())
        for file in files
    )
    return list(islice((fault for table in found for fault in table["fault"].to_pylist()), _MAX_NAMED))


def _stop_early(files: Sequence[Path], source: SourceSettings) -> None:
    """Stop at a slice that is mostly bad, rather than at the end."""
    rows, counts = engine.count_rows(files), _counted(files)
    for reason in BAD:
        if too_many(counts.get(reason, 0), rows, source.max_bad_share):
            raise SourceError(_rows_are_bad(reason, counts[reason], rows, source, [files[0].parents[1]]))


def _counted(files: Sequence[Path]) -> dict[str, int]:
    tally = engine.sum_up(files, "tally", ["reason"], "posts")
    return dict(sorted(zip(tally["reason"].to_pylist(), tally["posts"].to_pylist(), strict=True)))


def _rows_are_bad(reason: str, bad: int, rows: int, source: SourceSettings, parts: Sequence[Path]) -> str:
    wrong = [entry for part in parts for entry in read_json_lines(part / WRONG_NAME)]
    example = wrong[0] if reason == BROKEN_LINE and wrong else f"IMAGE is {shown(source.image)}"
    return _too_many(bad, rows, f"rows are {reason}", example, source)


def _too_many(bad: int, of: int, what: str, example: str, source: SourceSettings) -> str:
    return (
        f"{bad:,} of {of:,} {what} ({example}); fix the source or the names of its columns, "
        f"or raise SOURCE.MAX_BAD_SHARE ({source.max_bad_share})"
    )


STAGE = Stage(FOLDER, "reading posts and their hashtags", _settings, _run)
