"""Images without labels: folders, files, tables of paths, and what is none of them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.data.readers.loose_images import read_loose_images
from igdet.formats.errors import DatasetError, RecordError


def ids(*sources):
    records = read_loose_images(list(map(str, sources)))
    return [records.image_id(index) for index in range(len(records))]


def test_a_folder_with_all_below_it_and_files_in_their_order(folder_of_images):
    images = ids(folder_of_images / "dog", folder_of_images / "cat/2.png", folder_of_images / "cat/more")
    assert images == [
        str(folder_of_images / name) for name in ("dog/0.jpg", "dog/1.jpg", "dog/2.jpg", "cat/2.png", "cat/more/3.JPEG")
    ]
    assert read_loose_images([str(folder_of_images)]).read(0) == (folder_of_images / "cat/0.jpg").read_bytes()


def test_paths_open_from_the_working_folder(folder_of_images, monkeypatch):
    monkeypatch.chdir(folder_of_images)
    records = read_loose_images(["dog", "cat/0.jpg"])
    assert [records.image_id(i) for i in (0, 3)] == ["dog/0.jpg", "cat/0.jpg"]
    assert records.read(3) == Path("cat/0.jpg").read_bytes()


def test_tables_of_paths_count_from_their_folder_and_may_name_what_is_not_there(folder_of_images):
    (folder_of_images / "list.csv").write_text(
        f"likes,image\n3,dog/1.jpg\n4,gone.jpg\n5,{folder_of_images}/cat/0.jpg\n"
    )
    expected = [folder_of_images / name for name in ("dog/1.jpg", "gone.jpg", "cat/0.jpg")]
    assert ids(folder_of_images / "list.csv") == list(map(str, expected))
    pq.write_table(pa.table({"image": ["dog/1.jpg"]}), folder_of_images / "list.parquet")
    assert ids(folder_of_images / "list.parquet") == [str(expected[0])]
    with pytest.raises(RecordError, match="does not exist"):
        read_loose_images([str(folder_of_images / "list.csv")]).read(1)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "path\nx.jpg\n", "expected one column 'image' of paths; its columns are"),
        ("a.csv", "image,image\nx.jpg,y.jpg\n", "expected one column 'image'"),
        ("a.csv", "image\n", "has no rows"),
        ("a.csv", 'image\nx.jpg\n""\n', "row 2 holds ''"),
        ("a.csv", "image\n1\n2\n", "row 1 holds 1; expected a path"),
        ("a.csv", "", "cannot be read as csv"),
        ("a.parquet", "image\nx.jpg\n", "cannot be read as parquet"),
        ("gone.jpg", None, "is not there: expected a folder, an image, or a table of paths"),
    ],
)
def test_what_is_no_source_of_images_is_refused(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_loose_images([str(tmp_path / name)])


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(DatasetError, match=r"holds no images \(passed over: 1 .txt\)"):
        read_loose_images([str(tmp_path)])
