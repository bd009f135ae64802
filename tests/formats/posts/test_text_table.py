"""CSV files and JSON lines as people and programs write them: what is read, what is a wrong row, what is refused."""

import json

import pytest

from igdet.formats.errors import TableError
from igdet.formats.posts.columns import PostColumns
from igdet.formats.posts.text_table import TextFormat, open_table

COLUMNS = PostColumns("image", "tags")


def read(path, content, **given):
    """Write and read a file; give image and hashtags of each row, the faults, and how it was read."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    kind = path.suffix.removeprefix(".")
    table = open_table(str(path), kind, COLUMNS, TextFormat(**given))
    posts, faults = [], []
    for batch in table.batches():
        tags = COLUMNS.tags(batch["text"], batch["tags"]).to_pylist()
        posts += zip(batch["image"].to_pylist(), tags, strict=True)
        faults += [fault.removeprefix(f"{path}: ") for fault in batch["fault"].to_pylist() if fault]
    return posts, faults, table.note


@pytest.mark.parametrize(
    ("encoding", "detected"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("windows-1252", "windows-1252"),
        ("latin-1", "windows-1252"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_encodings_are_found_out(tmp_path, encoding, detected, kind):
    text = "image,tags\na.jpg,#café #größe\n"
    if kind == "jsonl":
        text = json.dumps({"image": "a.jpg", "tags": "#café #größe"}, ensure_ascii=False) + "\n"
    posts, faults, note = read(tmp_path / f"x.{kind}", text.encode(encoding))
    assert (posts, faults) == ([("a.jpg", ["café", "größe"])], [])
    assert note.split(",")[0] == detected


@pytest.mark.parametrize(
    ("encoding", "word"), [("shift_jis", "テスト"), ("windows-1251", "кошка"), ("gb18030", "猫咪")]
)
def test_other_encodings_have_to_be_named(tmp_path, encoding, word):
    content = f"image,tags\na.jpg,#{word}\n".encode(encoding)
    with pytest.raises(TableError, match=r"x\.csv: neither UTF-8 nor Windows-1252: .*ENCODING"):
        read(tmp_path / "x.csv", content)
    assert read(tmp_path / "x.csv", content, encoding=encoding)[0] == [("a.jpg", [word])]


def test_a_row_that_cannot_be_decoded_is_wrong(tmp_path):
    posts, faults, _ = read(tmp_path / "x.csv", "image,tags\na,#é\n".encode() + b"b,#\xe9\n" + "c,#ü\n".encode())
    assert posts == [("a", ["é"]), (None, []), ("c", ["ü"])]
    assert faults == ["row 2: it holds bytes that are not utf-8"]


@pytest.mark.parametrize(
    ("content", "posts"),
    [
        ("image;tags\na;x,y\n", [("a", ["x", "y"])]),
        ('image\ttags\na\t"x\n', [("a", ['"x'])]),
        ("tags|image\nx|a\n", [("a", ["x"])]),
        ("image,tags\ra,x\rb,y\r", [("a", ["x"]), ("b", ["y"])]),
        ("image,tags\r\na,x\r\n\r\n", [("a", ["x"])]),
        (" image , tags \na,x\n", [("a", ["x"])]),
        ('image,tags\na,"say \\"x\\", y"\nb,"\\"z\\""\n', [("a", ["say", '"x"', "y"]), ("b", ['"z"'])]),
        ('image,tags\nC:\\a,"x ""y"""\n', [("C:\\a", ["x", '"y"'])]),
        ('image,tags\na,"one\n\ntwo"\n', [("a", ["one", "two"])]),
    ],
)
def test_dialects_are_found_out(tmp_path, content, posts):
    assert read(tmp_path / "x.csv", content)[:2] == (posts, [])


@pytest.mark.parametrize(
    ("rows", "wrong", "why"),
    [
        ('a,x\nb,"to be\nc,y\nd,z\n', [2], "quotation marks do not pair up"),
        ('a,x\nb,"to be\nc,"y"\nd,z\n', [2], "quotation marks do not pair up"),
        ('a,x\n"b","to be\n"c","y"\n"d","z"\n', [2], "quotation marks do not pair up"),
        ('a,x\nb,"to\n' + "c,y\n" * 6 + 'd,be"\n', [2], "lines that look like rows"),
        ("a,x\nb,y,z\nc,y\n", [2], "it has 3 cells, the header has 2"),
        ("a,x\nb\nc,y\n", [2], "it has 1 cells, the header has 2"),
        ("a,x\nimage,tags\nc,y\n", [2], "it is the header again"),
    ],
)
def test_wrong_rows_are_counted_and_the_others_are_read(tmp_path, rows, wrong, why):
    posts, faults, _ = read(tmp_path / "x.csv", f"image,tags\n{rows}")
    assert [row for row, post in enumerate(posts, 1) if post == (None, [])] == wrong
    assert len(faults) == len(wrong) and why in faults[0] and faults[0].startswith(f"row {wrong[0]}: ")
    assert posts[0] == ("a", ["x"]) and ("c", ["y"]) in posts


def test_a_cell_over_many_blocks_and_one_that_never_ends(tmp_path, monkeypatch):
    monkeypatch.setattr("igdet.formats.posts.csv_rows._BLOCK_LINES", 3)
    rows = 'a,"x\n' + "\n" * 50 + 'y"\n' + "b,z\n" * 5 + 'c,"x\n' + "d,y\n" * 20
    posts, faults, _ = read(tmp_path / "x.csv", f"image,tags\n{rows}")
    assert posts == [("a", ["x", "y"]), *[("b", ["z"])] * 5, (None, []), *[("d", ["y"])] * 20]
    assert len(faults) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("image,tags,tags\na,x,y\n", "has the column 'tags' twice"),
        ("image,tag\na,x\n", "has no column 'tags'; its columns are image, tag"),
        ("", "has no column 'tags'"),
        ("image,tags\na,x\ntags,image\nx,a\n", "a second header within the file has another order"),
    ],
)
def test_files_that_cannot_be_read_as_asked(tmp_path, content, message):
    with pytest.raises(TableError, match=message):
        read(tmp_path / "x.csv", content)


@pytest.mark.parametrize(
    "given",
    [{"encoding": "utf-9"}, {"encoding": "hex"}, {"delimiter": ",,"}, {"delimiter": '"'}, {"quoting": "single"}],
)
def test_settings_that_mean_nothing(given):
    with pytest.raises(TableError, match=next(iter(given)).upper()):
        TextFormat(**given)


@pytest.mark.parametrize("text", ["#cafÃ© #dogð\x9f\x90¶", "#cafÃ© #dogðŸ\x90¶"])
def test_misdecoded_texts_are_repaired_where_all_are(tmp_path, text):
    lines = [json.dumps({"image": "a", "tags": text}), json.dumps({"image": "b", "tags": "#x"})]
    posts, _, note = read(tmp_path / "x.jsonl", "\n".join(lines))
    assert posts == [("a", ["café", "dog🐶"]), ("b", ["x"])] and "repaired" in note
    lines.append(json.dumps({"image": "c", "tags": "#größe"}))
    posts, _, note = read(tmp_path / "x.jsonl", "\n".join(lines))
    assert posts[0] == ("a", text.replace("#", "").split()) and "repaired" not in note


def test_only_the_wanted_fields_of_json_are_looked_at(tmp_path):
    others = [1, "1", {"x": [1]}, None, "x" * 3_000_000]
    lines = [json.dumps({"image": "a", "tags": [{"name": "cat"}, "dog"], "other": other}) for other in others]
    posts, faults, _ = read(tmp_path / "x.jsonl", "\n".join([*lines, "", "{", "[]"]))
    assert posts == [("a", ["cat", "dog"])] * 5 + [(None, [])] * 2
    assert faults == ["row 6: it is no JSON object", "row 7: it is no JSON object"]
