"""Lists of posts: every form of entry, every kind of file, and no list is ignored because it is broken."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.curation.shards.id_list import IdList, opaque_key
from igdet.utils.hashing import sha256
from igdet.utils.yaml import ConfigError

KEY = opaque_key("anna/1", b"")


@pytest.mark.parametrize(
    "entry", ["anna/1", " anna/1 ", sha256(b"anna/1"), sha256(b"anna/1").upper(), KEY, KEY.upper()]
)
def test_a_post_is_found_by_id_hash_and_key(entry):
    assert IdList([entry]).has_post("anna/1", KEY)
    assert not IdList([entry]).has_post("anna/2", opaque_key("anna/2", b""))


def test_a_image_is_found_by_its_hash():
    listed = IdList([sha256(b"picture").upper()])
    assert listed.has_image(sha256(b"other"), sha256(b"picture"))
    assert not listed.has_image(sha256(b"other")) and not listed.has_image()


def test_an_empty_entry_lists_nobody():
    assert not IdList(["", "  "]).has_post("", opaque_key("", b"")) and not IdList().has_post("a", KEY)


def test_text_csv_and_parquet(tmp_path):
    (tmp_path / "a.txt").write_text("007\n\nanna 1\n", encoding="utf-8-sig")
    (tmp_path / "a.csv").write_text("since,id\n2020,007\n2021,anna 1\n")
    pq.write_table(pa.table({"id": ["007", None], "sha256": [None, "anna 1"]}), tmp_path / "a.parquet")
    for name in ("a.txt", "a.csv", "a.parquet"):
        listed = IdList.read(tmp_path / name)
        assert listed.has_post("007", "") and listed.has_post("anna 1", "") and not listed.has_post("7", "")


def test_ids_may_be_numbers(tmp_path):
    pq.write_table(pa.table({"id": [7, 8]}), tmp_path / "a.parquet")
    assert IdList.read(tmp_path / "a.parquet").has_post("8", "")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.json", b"[]", "a list of posts is a file .txt, .csv, .parquet"),
        ("a.parquet", b"PAR1", "cannot be read"),
        ("a.csv", b"name\nanna\n", "expected a column id or sha256, found name"),
        ("a.csv", b"", "cannot be read"),
        ("a.txt", b"\xff\xfe\xff", "cannot be read"),
    ],
)
def test_broken_lists_stop_the_run(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ConfigError, match=message):
        IdList.read(tmp_path / name)


def test_a_missing_list_stops_the_run(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.txt: the list"):
        IdList.read(tmp_path / "none.txt")
