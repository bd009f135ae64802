"""Reading the table of labels and the labelled posts, and making a vocabulary of them."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from igdet.curation.labels.label_table import (
    SCHEMA,
    LabelTableError,
    read_label_lists,
    read_labels,
    rows_of_tags,
    vocabulary_of,
)


def table(*rows):
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=SCHEMA)


def test_parts_are_read_in_the_order_of_their_names(animal_labels, tmp_path):
    for part, start in (("b", 3), ("a", 0)):
        pq.write_table(animal_labels.slice(start, 3 if part == "a" else None), tmp_path / f"{part}.parquet")
    (tmp_path / "manifest.json").write_text("{}")
    assert read_labels(tmp_path).equals(animal_labels)


def test_columns_of_another_width_are_converted(animal_labels, tmp_path):
    wide = animal_labels.set_column(2, "posts", animal_labels["posts"].cast(pa.int32()))
    pq.write_table(wide.append_column("more", pa.array(range(7))), tmp_path / "labels.parquet")
    assert read_labels(tmp_path / "labels.parquet").equals(animal_labels)


@pytest.mark.parametrize("kind", [pa.int32(), pa.int64()])
def test_label_lists_are_flat(tmp_path, kind):
    lists = pa.array([[0, 2], [], None, [1]], pa.list_(kind))
    pq.write_table(pa.table({"id": list("abcd"), "labels": lists}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"id": ["e"], "labels": pa.array([[2]], pa.list_(kind))}), tmp_path / "b.parquet")
    offsets, ids = read_label_lists(tmp_path)
    assert offsets.tolist() == [0, 2, 2, 2, 3, 4]
    assert (ids.tolist(), ids.dtype) == ([0, 2, 1, 2], "int32")


@pytest.mark.parametrize("columns", [{"id": ["a"]}, {"labels": ["dog"]}])
def test_other_tables_are_refused(tmp_path, columns):
    pq.write_table(pa.table(columns), tmp_path / "posts.parquet")
    with pytest.raises(LabelTableError, match=r"posts\.parquet.*labels"):
        read_label_lists(tmp_path / "posts.parquet")
    with pytest.raises(LabelTableError, match=r"posts\.parquet.*label, name, posts, tags"):
        read_labels(tmp_path / "posts.parquet")


def test_wrong_types_are_named(tmp_path):
    rows = {"label": ["a"], "name": ["a"], "posts": ["many"], "tags": [["a"]]}
    pq.write_table(pa.table(rows), tmp_path / "labels.parquet")
    with pytest.raises(LabelTableError, match="many"):
        read_labels(tmp_path / "labels.parquet")


def test_a_missing_file_is_named(tmp_path):
    for read in (read_labels, read_label_lists):
        with pytest.raises(LabelTableError, match="labels: there is no such file; expected a Parquet table"):
            read(tmp_path / "labels")


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.write_text("text")])
def test_empty_and_broken_files_are_named(tmp_path, make):
    make(tmp_path / "labels")
    with pytest.raises(LabelTableError, match="labels: no Parquet table"):
        read_labels(tmp_path / "labels")
    with pytest.raises(LabelTableError, match="labels: no Parquet table"):
        read_label_lists(tmp_path / "labels")


def test_posts_without_any_label_are_flat_too(tmp_path):
    pq.write_table(pa.table({"labels": pa.array([[], []], pa.list_(pa.int32()))}), tmp_path / "a.parquet")
    offsets, ids = read_label_lists(tmp_path)
    assert (offsets.tolist(), ids.tolist(), ids.dtype) == ([0, 0, 0], [], "int32")


def test_a_shared_hashtag_belongs_to_the_more_frequent_label():
    shared = table(("n1", "crane", 5, ["crane"]), ("n2", "derrick", 2, ["crane", "derrick"]))
    assert rows_of_tags(shared) == {"crane": 0, "derrick": 1}
    assert vocabulary_of(shared).text() == "crane\nderrick\n"


def test_a_name_that_counts_as_another_label_gives_way():
    labels = table(("n1", "crane", 5, ["crane"]), ("n2", "crane", 2, ["derrick"]), ("n3", "crane", 1, ["crane"]))
    assert vocabulary_of(labels).text() == "crane\nderrick\nn3\n"


def test_the_name_comes_first_and_once():
    labels = table(("n1", "dog", 5, ["hound", "dog"]), ("n2", "brown_bear", 2, ["bear", "brownbear"]))
    assert vocabulary_of(labels).text() == "dog hound\nbrown_bear bear\n"
