"""Tests of the hashtag vocabulary."""

import pytest

from igdet.formats.vocabulary import Vocabulary, VocabularyError, normalise_tag

LABELS = [("brown_bear", "bear", "ursusarctos"), ("café",), ("straße", "street")]


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("#Brown_Bear", "brownbear"),
        ("brown-bear", "brownbear"),
        (" ##brown\u200b bear ", "brownbear"),
        ("＃ＢＥＡＲ", "bear"),  # full width
        ("cafe\u0301", "café"),  # combining accent
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("c#", "c#"),
        ("İSTANBUL", "istanbul"),
        ("i\u0307stanbul", "istanbul"),
        ("ışık", "ışık"),
        ("#_-", ""),
    ],
)
def test_normal_form(raw, normal):
    assert normalise_tag(raw) == normal


@pytest.mark.parametrize("tag", ["İstanbul", "ΣΊΣΥΦΟΣ", "ﬁsh", "#＃x", "ⅷ"])
def test_normal_form_of_a_normal_form_is_itself(tag):
    assert normalise_tag(normalise_tag(tag)) == normalise_tag(tag)


def test_ids_are_distinct_sorted_and_known():
    ids = Vocabulary(LABELS).ids(["street", "unknown", "#Bear", "brownbear", "STRASSE"])
    assert ids.tolist() == [0, 2]
    assert ids.dtype == "int32"
    assert Vocabulary(LABELS).ids(["unknown"]).shape == (0,)
    assert Vocabulary(LABELS).ids([]).shape == (0,)


def test_a_file_read_back_is_the_same(tmp_path):
    path = tmp_path / "vocabulary.txt"
    Vocabulary(LABELS).write(path)
    assert path.read_text(encoding="utf-8").splitlines()[0] == "brown_bear bear ursusarctos"
    again = Vocabulary.read(path)
    assert again.names == ["brown_bear", "café", "straße"]
    assert again.text() == Vocabulary(LABELS).text()
    assert again.id_of("CAFÉ") == 1


def test_a_file_with_a_byte_order_mark_and_dos_lines(tmp_path):
    path = tmp_path / "vocabulary.txt"
    path.write_bytes("\ufeffcat kitten\r\ndog\r\n".encode())
    assert Vocabulary.read(path).names == ["cat", "dog"]


def test_spellings_of_one_hashtag_may_stand_in_one_line():
    assert Vocabulary([("brown_bear", "brownbear")]).id_of("brownbear") == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("cat kitten\ndog\nKitten\n", r"'Kitten' counts as two labels: line 1 \(cat\) and line 3 \(Kitten\)"),
        ("cat\n\ndog\n", "line 2 is empty"),
        ("cat\n#\n", "line 2: '#' is no hashtag"),
        ("", "is empty"),
        (b"\xff\xfe\x00cat", "utf-8"),
    ],
)
def test_broken_files_are_named(tmp_path, content, message):
    path = tmp_path / "broken.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(VocabularyError, match=message) as caught:
        Vocabulary.read(path)
    assert "broken.txt" in str(caught.value)


def test_a_name_of_two_words_is_refused():
    with pytest.raises(VocabularyError, match="'brown bear' is no hashtag"):
        Vocabulary([("brown bear",)])
