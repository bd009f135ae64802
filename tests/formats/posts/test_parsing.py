"""Hashtags out of captions, separated strings and lists."""

import pyarrow as pa
import pytest

from igdet.formats.posts.parsing import (
    MAX_TAG_LENGTH,
    MAX_TAGS,
    limited,
    tags_of_captions,
    tags_of_lists,
    tags_of_strings,
)

STRINGS = pa.list_(pa.string())


@pytest.mark.parametrize(
    ("caption", "tags"),
    [
        ("#Brown_Bear at the #zoo! (#bear, #bear)", ["Brown_Bear", "zoo", "bear", "bear"]),
        ("#a#b ##c # d #", ["a", "b", "c"]),
        ("＃ＢＥＡＲ ﹟small", ["ＢＥＡＲ", "small"]),
        ("#𝓵𝓸𝓿𝓮 #🐻❤\ufe0f #ⓛove", ["𝓵𝓸𝓿𝓮", "🐻❤\ufe0f", "ⓛove"]),
        ("#br\u200bown", ["br\u200bown"]),
        ('\u200f#שלום של #תל\u05f4אביב #צה"ל #سلام', ["שלום", "תל\u05f4אביב", "צה", "سلام"]),
        ("#日本、#東京 #café #cafe\u0301 #ｶﾞ", ["日本", "東京", "café", "cafe\u0301", "ｶﾞ"]),
        ("#2018 #c++ #at&t #semi-final", ["2018", "c", "at", "semi"]),
        ("#_ #! #\u200b", []),
        ("https://a.b/c#d &#39; &#x27; #\ufe0f\u20e3", []),
        ("#cat·#dog #cat・ #bird·", ["cat", "dog", "cat", "bird"]),
        ("#paral·lel #ラ・ラ・ランド", ["paral·lel", "ラ・ラ・ランド"]),
        ("rock &amp;#39;n&amp;#39; roll &amp;amp;#x27; #caf&eacute;", ["café"]),
        ("www.shop.example/#sale,#cat shop.example/page#top?x (shop.example:80/p?x=1#y)", ["cat"]),
        (
            "https://de.example/wiki/Größe#Abschnitt ftp://a/#x app://tag#y e.g./#dog #cat.dog/#fish",
            ["dog", "cat", "fish"],
        ),
        ('<p>My <a href="https://m.example/tags/cat#x" class="hashtag">#<span>cat</span></a></p><p>dog</p>', ["cat"]),
        (
            "<br>#cat<br/>#dog &lt;a href='#x'&gt;#&lt;b&gt;owl&lt;/b&gt; I <3 #love a<b #c >",
            ["cat", "dog", "owl", "love", "c"],
        ),
        ("", []),
        (None, []),
    ],
)
def test_a_caption(caption, tags):
    assert tags_of_captions(pa.array([caption], pa.string())).to_pylist() == [tags]


@pytest.mark.parametrize("end", ["…", "...", "..", "… ", "...\n"])
def test_a_hashtag_cut_off_at_the_end_is_left_out(end):
    assert tags_of_captions(pa.array([f"#whole #cu{end}"])).to_pylist() == [["whole"]]


@pytest.mark.parametrize("caption", ["#whole #too … and on", "#whole #too.", "#whole #too wait..."])
def test_a_hashtag_that_is_not_cut_off_stays(caption):
    assert tags_of_captions(pa.array([caption])).to_pylist() == [["whole", "too"]]


def test_a_hashtag_of_10_kb_is_read_as_one():
    assert tags_of_captions(pa.array(["#" + "a" * 10_000])).to_pylist() == [["a" * 10_000]]


def test_strings_are_split_at_white_space_commas_and_semicolons():
    strings = pa.array(["#bear, #zoo;cat\tdog  ", "#a#b", "", ",;# ", None])
    assert tags_of_strings(strings).to_pylist() == [["bear", "zoo", "cat", "dog"], ["a", "b"], [], [], []]


@pytest.mark.parametrize("separator", ["|", ".", "||", "\\d", "$"])
def test_a_separator_stands_for_itself(separator):
    joined = separator.join(["#brown bear", " zoo ", "", "d1"])
    assert tags_of_strings(pa.array([joined]), separator).to_pylist() == [["brown bear", "zoo", "d1"]]


def test_lists_lose_hash_marks_and_empty_entries():
    lists = pa.array([["#bear", "##zoo", "a#b"], None, [], ["", None, "#", "_"], [" brown bear "]], STRINGS)
    assert tags_of_lists(lists).to_pylist() == [["bear", "zoo", "a", "b"], [], [], [], ["brown bear"]]


def test_null_lists_may_hide_values():
    hidden = pa.ListArray.from_arrays(
        pa.array([0, 1, 2, 3]), pa.array(["a", "b", "c"]), mask=pa.array([False, True, False])
    )
    assert tags_of_lists(hidden).to_pylist() == [["a"], [], ["c"]]


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string(), pa.string_view()])
def test_every_type_of_strings_is_read(type_):
    captions = pa.array(["#bear", None], type_)
    assert tags_of_captions(captions).to_pylist() == [["bear"], []]
    assert tags_of_captions(captions).type == STRINGS


def test_slices_and_columns_without_rows():
    captions = pa.array(["#a", "#b", "#c"])
    assert tags_of_captions(captions.slice(1, 1)).to_pylist() == [["b"]]
    assert tags_of_strings(captions.slice(1, 1)).to_pylist() == [["b"]]
    assert tags_of_lists(pa.array([["a"], ["b"], ["c"]], STRINGS).slice(1, 1)).to_pylist() == [["b"]]
    assert tags_of_captions(captions.slice(0, 0)).to_pylist() == []
    assert tags_of_lists(pa.array([None], STRINGS)).to_pylist() == [[]]


def test_limits_are_counted():
    long, longest = "é" * (MAX_TAG_LENGTH + 1), "é" * MAX_TAG_LENGTH
    crowd = [str(number) for number in range(MAX_TAGS + 1)]
    lists = pa.array([[long, "bear", longest], [], crowd, [long, *crowd[:MAX_TAGS], long]], STRINGS)
    tags, long_tags, crowded_posts = limited(lists)
    assert tags.to_pylist() == [["bear", longest], [], crowd[:MAX_TAGS], crowd[:MAX_TAGS]]
    assert (long_tags, crowded_posts) == (3, 1)
