"""The stage that reads posts, on files good and bad."""

import io
import json
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("daft", reason="the extra 'curation' is not installed")

from igdet.curation import engine
from igdet.curation.settings import Curation, EngineSettings, SourceSettings
from igdet.curation.slices import parts_of
from igdet.curation.stages.posts import BROKEN_FILES, FOLDER, STAGE, SourceError
from igdet.formats.vocabulary import Vocabulary
from igdet.utils.errors import UserError

pytest.importorskip("detectron2", reason="training reads the same tables")

from igdet.data.bad_records import BadRecordLog
from igdet.data.readers.hashtag_table import read_hashtag_table

GOOD = b"image,tags\na.jpg,x\n"


@pytest.fixture
def read(tmp_path):
    """Write files into a folder and read them as a stage does; give images with hashtags, and the counts."""
    (tmp_path / "in").mkdir()

    def run(files, fingerprint="f", **source):
        for name, content in files.items():
            (tmp_path / "in" / name).write_bytes(content)
        settings = SourceSettings([f"{tmp_path}/in"], **{"tags": "tags", "max_bad_share": 0.5} | source)
        curation = Curation(str(tmp_path / "out"), settings, engine=EngineSettings(slice_mb=100))
        engine.start(curation.engine)
        STAGE.settings(curation)
        result = STAGE.run(curation, fingerprint)
        rows = [row for file in result.files for row in pq.read_table(file, partitioning=None).to_pylist()]
        assert result.rows_in == result.rows_out == len(rows)
        return sorted(((row["image"], row["tags"]) for row in rows), key=str), {
            k: v for k, v in result.counts.items() if v
        }

    return run


def parquet(**columns):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def tar(**members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name.replace("_", "."))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def test_csv_as_people_write_it(read):
    text = '\ufeffimage,tags\na.jpg,"x, y"\nshort.jpg\n"c ""q"".jpg","two\nlines"\nlong.jpg,z,more,more\n'
    posts = [("a.jpg", ["x", "y"]), ('c "q".jpg', ["two", "lines"]), (None, []), (None, [])]
    assert read({"a.csv": text.encode()}) == (posts, {"broken lines": 2})


@pytest.mark.parametrize(
    "content",
    [
        b"image,hashtags\na.jpg,cat\nb.jpg,cat,dog\nc.jpg,\"dog\nd.jpg,\"['dog', 'cat']\"\ne.jpg,nan\n",
        "image;hashtags\na.jpg;cat;\nb.jpg;#cat #dögs\n".encode("windows-1252"),
        'image,hashtags\r\na.jpg,cat\r\nb.jpg,"dog|cat"\r\n'.encode("utf-16"),
    ],
)
def test_training_reads_the_same_posts(read, tmp_path, content):
    posts, counts = read({"posts.csv": content}, tags="hashtags", max_bad_share=1.0)
    table, log = str(tmp_path / "in/posts.csv"), BadRecordLog(tmp_path, "posts", 1.0)
    records = read_hashtag_table(table, "/", Vocabulary([("cat",), ("dog",), ("dögs",)]), "image", "hashtags", log)
    assert [records.image_id(i) for i in range(len(records))] == sorted(image for image, tags in posts if tags)
    assert sum(len(set(tags)) for _, tags in posts) == len(records.label_ids)
    assert log.bad == sum(counts.values())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"image": "a", "text": "no hashtag"}', "'no hashtag'"),
        ('{"image": "a", "text": null}', "{'keys': \\['image', 'text'\\]}"),
        ('{"image": "a", "caption": "#x"}', "{'keys': \\['image', 'caption'\\]}"),
    ],
)
def test_a_column_without_any_hashtag_stops_the_run(read, line, message):
    with pytest.raises(SourceError, match=f"20 of 20 posts have no hashtag in SOURCE.CAPTION 'text'.*{message}"):
        read({"a.jsonl": f"{line}\n".encode() * 20}, caption="text", tags="")


def test_files_whose_columns_differ_in_type_are_read_together(read):
    files = {
        "a.parquet": parquet(image=["a"], tags=[["x"]]),
        "b.parquet": parquet(image=["b"], tags=["x y"], more=[1]),
        "c.parquet": parquet(image=["c"], tags=pa.nulls(1)),
        "d.parquet": parquet(image=pa.array([], pa.string()), tags=pa.array([], pa.string())),
    }
    assert read(files)[0] == [("a", ["x"]), ("b", ["x", "y"]), ("c", [])]


def test_images_in_tars(read, tmp_path):
    first = {"1_jpg": b"JPEG", "1_json": json.dumps({"caption": "#x"}).encode(), "1_txt": b"#y"}
    second = {"2_jpg": b"JPEG", "2_json": b"{}", "2_txt": b"#z"}
    root = {"root": f"{tmp_path}/in", "tags": ""}
    files = {"a.tar": tar(**first, **second)}
    assert read(files, caption="json.caption", **root)[0] == [("a.tar::1", ["x"]), ("a.tar::2", [])]
    assert read({}, "g", caption="txt", **root)[0] == [("a.tar::1", ["y"]), ("a.tar::2", ["z"])]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_source_of_no_posts(read, name):
    content = {"a.csv": b"image,tags\n", "a.jsonl": b""}
    assert read({name: content[name]}) == ([], {})


_ROTTEN = parquet(image=[f"{i}" * 50 for i in range(2000)], tags=["x"] * 2000)


@pytest.mark.parametrize(
    ("suffix", "good", "bad", "why"),
    [
        ("parquet", parquet(image=["a.jpg"], tags=["x"]), b"", "CorruptFile"),
        ("parquet", parquet(image=["a.jpg"], tags=["x"]), parquet(image=["a.jpg"]), "no column 'tags'"),
        ("parquet", parquet(image=["a.jpg"], tags=["x"]), _ROTTEN[:500] + b"U" * 900 + _ROTTEN[1400:], "decode"),
        ("csv", GOOD, b"", "no column 'tags'"),
        ("jsonl", b'{"image": "a.jpg", "tags": "x"}\n', b'{"image": "\x83e\x83X\x83g"}\n', "ENCODING"),
    ],
)
def test_a_broken_file_is_left_out_and_named(read, tmp_path, suffix, good, bad, why):
    assert read({f"bad.{suffix}": bad, f"good.{suffix}": good}) == ([("a.jpg", ["x"])], {BROKEN_FILES: 1})
    (skipped,) = (
        json.loads(line) for path in tmp_path.rglob("skipped.jsonl") for line in path.read_text().splitlines()
    )
    assert skipped["file"] == f"{tmp_path}/in/bad.{suffix}"
    assert skipped["file"] in skipped["why"] and why in skipped["why"]


def test_too_many_broken_files_are_tried_again_at_the_next_run(read, tmp_path):
    with pytest.raises(SourceError, match=r"1 of 2 files cannot be read .*fix the source.*MAX_BAD_SHARE \(0.1\)"):
        read({"a.parquet": b"", "b.parquet": parquet(image=["b"], tags=["y"])}, max_bad_share=0.1)
    assert not parts_of(tmp_path / "out" / FOLDER)
    posts, _ = read({"a.parquet": parquet(image=["a"], tags=["x"])}, max_bad_share=0.1)
    assert posts == [("a", ["x"]), ("b", ["y"])]


def test_a_file_that_vanishes_is_left_out(read, tmp_path, monkeypatch):
    real = engine.read

    def vanishing(source_format, tables):
        if tables[0].path.endswith("a.csv"):
            (tmp_path / "in/a.csv").unlink(missing_ok=True)
        return real(source_format, tables)

    monkeypatch.setattr(engine, "read", vanishing)
    assert read({"a.csv": GOOD, "b.csv": GOOD}) == ([("a.jpg", ["x"])], {BROKEN_FILES: 1})


@pytest.mark.parametrize(("bad", "stops"), [(1, False), (2, True)])
def test_bad_rows_up_to_a_share(read, bad, stops):
    lines = b'{"image": "a", "tags": "x"}\n' * (4 - bad) + b"broken\n" * bad
    if stops:
        with pytest.raises(SourceError, match="2 of 4 rows are broken lines"):
            read({"a.jsonl": lines}, max_bad_share=0.25)
    else:
        assert read({"a.jsonl": lines}, max_bad_share=0.25)[1] == {"broken lines": 1}


def test_files_that_are_no_posts_need_a_pattern(read):
    with pytest.raises(UserError, match=r"README\.md\) is none of parquet"):
        read({"README.md": b"", "a.csv": GOOD})


@pytest.mark.parametrize("pattern", ["{out}/posts.csv", "{root}/**/*.csv"])
def test_the_output_is_no_source(tmp_path, pattern):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/posts.csv").write_bytes(GOOD)
    paths = [pattern.format(out=tmp_path / "out", root=tmp_path)]
    engine.start(EngineSettings())
    with pytest.raises(SourceError, match="would take in what is written to OUTPUT_DIR"):
        STAGE.settings(Curation(str(tmp_path / "out"), SourceSettings(paths, tags="tags")))
