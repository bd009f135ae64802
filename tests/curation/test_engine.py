"""The dataframe engine: files found, columns typed, batches worked on, and what cannot be done named."""

import errno
import sys
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from daft.exceptions import DaftCoreException

from igdet.curation import engine
from igdet.curation.engine import EngineError, EngineSettings, work
from igdet.curation.engine.errors import explained
from igdet.curation.slices import counts_type, in_first_row
from igdet.formats.posts.columns import PostColumns
from igdet.formats.posts.text_table import TextFormat, open_table
from igdet.utils.yaml import ConfigError

COUNTS = counts_type(word=pa.string())
WORDS = pa.struct([("word", pa.string()), ("length", pa.int64())])


@pytest.fixture(autouse=True, scope="module")
def native():
    engine.start(EngineSettings())


@pytest.fixture
def words(tmp_path):
    """Two files with a column word: a, bb, ccc and dddd, null."""
    for name, values in {"1": ["a", "bb", "ccc"], "2": ["dddd", None]}.items():
        pq.write_table(pa.table({"id": [f"{name}{i}" for i in range(len(values))], "word": values}), tmp_path / name)
    return [str(tmp_path / name) for name in ("1", "2")]


def csv_table(path):
    return open_table(path, "csv", PostColumns("image", "tags"), TextFormat(), engine.open_url)


def write(frame, folder):
    """Write a frame; return its rows."""
    engine.write(frame, folder / "rows.parquet")
    return pq.read_table(folder / "rows.parquet").to_pylist()


def _lengths(batch):
    """Work on a batch of words."""
    assert batch.type == pa.string()
    return pa.StructArray.from_arrays([batch, pa.compute.binary_length(batch).cast(pa.int64())], fields=list(WORDS))


@pytest.fixture
def server(tmp_path):
    """A web server of the folder `tmp_path`; gives its address."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_files_of_a_web_server(server, tmp_path):
    (tmp_path / "posts.csv").write_text("image,tags\na.jpg,#bear\n")
    [file] = engine.list_files([f"{server}/posts.csv"])
    [row] = write(engine.read("csv", [csv_table(file.path)]), tmp_path / "out")
    assert (row["image"], row["text"]) == ("a.jpg", "#bear")
    with pytest.raises(OSError, match="404"):
        csv_table(f"{server}/none.csv")


def test_an_unknown_runner():
    with pytest.raises(ConfigError, match="'rey' is none of native, ray; did you mean 'ray'"):
        engine.start(EngineSettings("rey"))


def test_files_are_found_sorted_each_once(tmp_path, monkeypatch):
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).write_text("x" * 3)
    monkeypatch.chdir(tmp_path)
    found = [(str(tmp_path / name), 3) for name in ("a.csv", "b.csv", "c.txt")]
    assert engine.list_files([str(tmp_path)]) == found
    assert engine.list_files(["*.csv", f"{tmp_path}/b.csv", f"../{tmp_path.name}/a.csv"]) == found[:2]
    assert engine.list_files(["https://host.example/a.csv"]) == [("https://host.example/a.csv", 0)]


@pytest.mark.parametrize("pattern", ["none.csv", "*.csv", ""])
def test_no_file(tmp_path, pattern):
    with pytest.raises(EngineError, match="there is no such file; expected a file, a folder or a pattern"):
        engine.list_files([f"{tmp_path}/{pattern}"])


def test_types_of_columns_and_of_fields(tmp_path):
    pq.write_table(pa.table({"a": [1], "b": [{"c": "x", "d": {"e": [1.0]}}]}), tmp_path / "x.parquet")
    types = engine.column_types(engine.read("parquet", [str(tmp_path / "x.parquet")]))
    assert list(types) == ["a", "b", "b.c", "b.d", "b.d.e"]
    assert types["a"] == pa.int64() and pa.types.is_large_string(types["b.c"])


def test_two_columns_of_one_name_are_refused(tmp_path):
    table = pa.table([pa.array(["a"]), pa.array(["b"])], names=["image", "image"])
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(EngineError, match="has the column 'image' twice; rename one of them"):
        engine.column_types(engine.read("parquet", [str(tmp_path / "x.parquet")]))


def test_batches_have_plain_types_and_other_columns_go_on(words, tmp_path):
    frame = engine.map_batches(engine.read("parquet", words), _lengths, ["word"], WORDS, keep=["id"])
    rows = write(frame, tmp_path / "out")
    assert [tuple(row.values()) for row in rows] == [
        ("10", "a", 1),
        ("11", "bb", 2),
        ("12", "ccc", 3),
        ("20", "dddd", 4),
        ("21", None, None),
    ]


def test_fields_are_reached_by_a_dotted_path(tmp_path):
    pq.write_table(pa.table({"json": [{"caption": {"en": "x"}}], "a.b": ["y"]}), tmp_path / "x.parquet")

    def join(*batches):
        return pa.StructArray.from_arrays([pa.compute.binary_join_element_wise(*batches, "+")], names=["both"])

    both = pa.struct([("both", pa.string())])
    frame = engine.map_batches(
        engine.read("parquet", [str(tmp_path / "x.parquet")]), join, ["json.caption.en", "a.b"], both
    )
    assert write(frame, tmp_path / "out") == [{"both": "x+y"}]


def test_rows_are_written_in_their_order_and_the_same_bytes_each_time(tmp_path):
    paths = [tmp_path / f"{number}.parquet" for number in range(8)]
    for number, path in enumerate(paths):
        pq.write_table(pa.table({"word": [f"{number}-{row}" for row in range(1000 * number + 1)]}), path)

    for name in "ab":
        frame = engine.map_batches(engine.read("parquet", [str(path) for path in paths]), _lengths, ["word"], WORDS)
        engine.write(frame, tmp_path / name)
    words = pq.read_table(tmp_path / "a")["word"].to_pylist()
    assert words == [f"{number}-{row}" for number in range(8) for row in range(1000 * number + 1)]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_no_rows_are_a_file_of_the_columns(words, tmp_path):
    pq.write_table(pa.table({"labels": pa.array([], pa.list_(pa.string()))}), tmp_path / "x.parquet")
    engine.write(engine.read("parquet", [str(tmp_path / "x.parquet")]), tmp_path / "out")
    assert pq.read_table(tmp_path / "out").to_pydict() == {"labels": []}


def test_rows_with_labels_go_into_the_same_buckets_everywhere(tmp_path):
    ids, labels = [str(i) for i in range(8, 14)], [["a"], [], ["b"], None, ["c"], ["d", "e"]]
    pq.write_table(pa.table({"id": ids, "labels": labels}), tmp_path / "x.parquet")
    frame = engine.read("parquet", [str(tmp_path / "x.parquet")])
    engine.write_buckets(frame, "id", 2, "labels", tmp_path / "out")
    files = list((tmp_path / "out").rglob("*.parquet"))
    rows = {row["id"]: row for file in files for row in pq.read_table(file, partitioning=None).to_pylist()}
    assert sorted(rows) == ["10", "12", "13", "8"]
    assert (rows["10"]["order"], rows["13"]["labels"]) == (15017679864016259122, ["d", "e"])
    for file in files:
        orders = pq.read_table(file, partitioning=None)["order"].to_pylist()
        assert {order % 2 for order in orders} == {int(file.parent.name.removeprefix("bucket="))}


def test_work_whose_rows_are_lost_without_an_error_is_done_again(words, tmp_path):
    """Daft loses some errors: the first reading seems to end early, the second is whole, and so it goes on."""
    frame, counted = engine.read("parquet", words), iter([6, 5])
    engine.write(replace(frame, count=lambda: next(counted)), tmp_path / "out")
    assert pq.read_table(tmp_path / "out")["word"].to_pylist() == ["a", "bb", "ccc", "dddd", None]
    with pytest.raises(EngineError, match=f"writing {tmp_path}/none: what is read ends early"):
        engine.write(replace(frame, count=lambda: 6), tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("number", range(20))
def test_no_error_of_a_source_is_lost(tmp_path, number):
    (tmp_path / "x.csv").write_text("image,tags\na.jpg,#x\n")
    frame = engine.map_batches(engine.read("csv", [csv_table(str(tmp_path / "x.csv"))]), _lengths, ["text"], WORDS)
    (tmp_path / "x.csv").unlink()
    with pytest.raises(EngineError, match=r"FileNotFoundError|ends early"):
        engine.write(frame, tmp_path / "out")


def test_counts_of_all_batches_are_summed(tmp_path):
    files = []
    for number, counts in enumerate([{"a": 1, "b": 2}, {"b": 3}, {}]):
        table = pa.table({"word": list(counts), "posts": list(counts.values())})
        files.append(tmp_path / f"{number}.parquet")
        pq.write_table(pa.table({"tally": in_first_row(table, 2, COUNTS)}), files[-1])
    total = engine.sum_up(files, "tally", ["word"], "posts").to_pylist()
    assert {row["word"]: row["posts"] for row in total} == {"a": 1, "b": 5}
    assert engine.count_rows(files) == 6
    assert engine.sum_up([], "tally", ["word"], "posts").to_pydict() == {"word": [], "posts": []}


def test_sums_of_counts_of_slices(tmp_path):
    schema = pa.schema([("word", pa.string()), ("posts", pa.int64())])
    files = [tmp_path / "1.arrow", tmp_path / "2.arrow"]
    engine.write_counts(files[0], pa.table([["a", "b"], [1, 2]], schema=schema))
    engine.write_counts(files[1], pa.table([["b"], [3]], schema=schema))
    total = engine.sum_counts(files, ["word"], "posts").to_pylist()
    assert {row["word"]: row["posts"] for row in total} == {"a": 1, "b": 5}
    assert engine.sum_counts(files[:1], ["word"], "posts").to_pydict() == {"word": ["a", "b"], "posts": [1, 2]}
    assert engine.sum_counts([], ["word"], "posts").equals(schema.empty_table())
    files[0].write_bytes(b"no table")
    for some in (files, files[:1]):
        with pytest.raises(EngineError, match=f"reading {files[0]}"):
            engine.sum_counts(some, ["word"], "posts")


def test_batches_are_worked_on_in_their_order(words, tmp_path):
    seen = []

    def work(batch):
        seen.append(batch["word"].to_pylist())
        return pa.table([pc.add(pc.utf8_length(batch["word"]), 10 * len(seen))], names=["length"])

    reads, writes = pa.schema([("word", pa.string())]), pa.schema([("length", pa.int32())])
    (tmp_path / "out").mkdir()
    engine.rewrite(words, reads, work, tmp_path / "out", writes)
    assert seen == [["a", "bb"], ["ccc"], ["dddd", None]]
    files = sorted((tmp_path / "out").iterdir())
    assert [pq.read_table(file)["length"].to_pylist() for file in files] == [[11, 12], [23], [34, None]]


def test_work_that_fails(words, tmp_path):
    def work(batch):
        raise ConfigError("cannot be used")

    (tmp_path / "out").mkdir()
    with pytest.raises(ConfigError, match="cannot be used"):
        engine.rewrite(words, pa.schema([("word", pa.string())]), work, tmp_path / "out", pa.schema([]))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("source_format", "content"),
    [("parquet", b""), ("parquet", b"no table"), ("parquet", b"PAR1 no table PAR1"), ("webdataset", b"no tar" * 200)],
)
def test_a_broken_file_is_named(tmp_path, source_format, content):
    path = tmp_path / "broken"
    path.write_bytes(content)
    with pytest.raises(EngineError, match=f"reading {path}"):
        engine.read(source_format, [str(path)])


def test_data_broken_within_a_file(words, tmp_path):
    good = (tmp_path / "1").read_bytes()
    (tmp_path / "1").write_bytes(good[:4] + b"\xff" * 60 + good[64:])
    with pytest.raises(EngineError, match=f"writing {tmp_path}/out: .*{tmp_path}/1"):
        engine.write(engine.read("parquet", words), tmp_path / "out")


def test_errors_of_a_full_disk_are_the_systems():
    with pytest.raises(OSError, match="No space left on device: 'writing x'") as caught, explained("writing x"):
        raise DaftCoreException("External: No space left on device (os error 28)")
    assert caught.value.errno == errno.ENOSPC


def test_rows_of_text_files_come_from_igdets_own_reader(tmp_path):
    tables = []
    for name, content in {
        "x.csv": "image,tags\na.jpg," + "t" * 10_000 + "\n",
        "y.csv": "tags;image\ncafé;b.jpg\n",
    }.items():
        (tmp_path / name).write_text(content)
        tables.append(
            open_table(str(tmp_path / name), "csv", PostColumns("image", "tags"), TextFormat(), engine.open_url)
        )
    rows = write(engine.read("csv", tables), tmp_path / "out")
    assert [(row["image"], row["text"]) for row in rows] == [("a.jpg", "t" * 10_000), ("b.jpg", "café")]


@pytest.mark.parametrize(("code", "status", "said"), [(None, 0, ""), (2, 2, ""), ("no such file", 1, "no such file\n")])
def test_a_command_that_ends_at_once_has_the_status_that_python_gives(code, status, said, monkeypatch, capsys):
    ended = []
    monkeypatch.setattr(work.os, "_exit", ended.append)
    with engine.at_once():
        sys.exit(code)
    assert ended == [status]
    assert capsys.readouterr().err == said
