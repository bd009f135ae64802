"""Pages for judging pairs, and what was judged."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from igdet.curation.duplicates import judging
from igdet.curation.duplicates.image_sets import DuplicatesError, open_image_set
from igdet.curation.duplicates.judging import confirmed, read_verdicts, write_pages
from igdet.curation.duplicates.result import SCHEMA

NASTY = '<b>"&.jpg'


class Page(HTMLParser):
    """Collects the pairs, the images and the text of a page."""

    def __init__(self, text):
        super().__init__()
        self.pairs, self.images, self.links, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "article":
            self.pairs.append((attributes["data-query"], attributes["data-match"]))
        if tag == "img":
            self.images.append(base64.b64decode(attributes["src"].removeprefix("data:image/jpeg;base64,")))
        self.links += [value for name, value in attrs if name in ("src", "href") and not value.startswith("data:")]

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def sets(make_folder, make_scene):
    queries = make_folder({"q.jpg": make_scene(0, (512, 256)), NASTY: make_scene(1)}, "queries")
    return open_image_set(queries), open_image_set(make_folder({"m.jpg": make_scene(2)}, "training"))


def pairs(*rows):
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=SCHEMA)


def test_a_page_holds_its_images_and_needs_no_other_file(sets, tmp_path):
    (path,) = write_pages(tmp_path, pairs(("q.jpg", "m.jpg", 0.93754, "pdq"), (NASTY, "m.jpg", 0.5, "pdq")), *sets)
    page = Page(path.read_text())
    assert page.pairs == [("q.jpg", "m.jpg"), (NASTY, "m.jpg")]
    assert page.links == []
    assert "0.9375" in page.text
    sizes = [Image.open(io.BytesIO(image)).size for image in page.images]
    assert sizes == [(256, 128), (96, 72), (96, 72), (96, 72)]
    shown = np.asarray(Image.open(io.BytesIO(page.images[2])), float)
    original = np.asarray(Image.open(io.BytesIO(sets[0].read(0))), float)  # NASTY sorts before "q.jpg"
    assert np.abs(shown - original).mean() < 10


def test_pairs_are_spread_over_pages(sets, tmp_path, monkeypatch):
    monkeypatch.setattr(judging, "PAIRS_ON_PAGE", 2)
    rows = [("q.jpg", "m.jpg", 0.5, "pdq")] * 3
    paths = write_pages(tmp_path, pairs(*rows), *sets)
    assert [path.name for path in paths] == ["judging-001.html", "judging-002.html"]
    assert [len(Page(path.read_text()).pairs) for path in paths] == [2, 1]
    page_ids = {re.search('data-page-id="(.*?)"', path.read_text())[1] for path in paths}
    assert len(page_ids) == 2  # a browser keeps the verdicts of each page apart


def test_no_pairs_need_no_page_and_earlier_pages_go(sets, tmp_path):
    (earlier,) = write_pages(tmp_path, pairs(("q.jpg", "m.jpg", 0.5, "pdq")), *sets)
    assert write_pages(tmp_path, SCHEMA.empty_table(), *sets) == []
    assert not earlier.exists()


def test_a_image_that_is_gone_is_named(sets, tmp_path):
    with pytest.raises(DuplicatesError, match=r"gone\.jpg: the list of pairs names this image"):
        write_pages(tmp_path, pairs(("gone.jpg", "m.jpg", 0.5, "pdq")), *sets)


def test_verdicts_are_read_from_all_files_and_choose_pairs(tmp_path):
    (tmp_path / "1.csv").write_text('"query","match","verdict"\n"q,1","m","duplicate"\n"q2","m","different"\n')
    (tmp_path / "2.csv").write_text("query,match,verdict\nq3,m,duplicate\nq3,m,duplicate\n")
    verdicts = read_verdicts([tmp_path / "1.csv", tmp_path / "2.csv"])
    assert verdicts == {("q,1", "m"): True, ("q2", "m"): False, ("q3", "m"): True}
    listed = pairs(*((name, "m", 0.5, "pdq") for name in ("q2", "q3", "q,1", "not judged")))
    assert confirmed(listed, verdicts)["query"].to_pylist() == ["q3", "q,1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("query,match,verdict\nq,m,duplicate\nq,m,different\n", r"line 3: \('q', 'm'\) was judged the other way"),
        ("query,match,verdict\nq,m,perhaps\n", "duplicate or different.*perhaps"),
        ("query,verdict\nq,duplicate\n", "match"),
        ("\xff", "expected columns"),
    ],
)
def test_what_are_no_verdicts_is_named(tmp_path, text, message):
    (tmp_path / "judged.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(DuplicatesError, match=f"judged.csv.*{message}"):
        read_verdicts([tmp_path / "judged.csv"])


def test_missing_verdicts_are_named(tmp_path):
    with pytest.raises(DuplicatesError, match=r"none\.csv: there is no such file"):
        read_verdicts([tmp_path / "none.csv"])


def test_judging_in_a_browser(sets, tmp_path, browser):
    listed = pairs(("q.jpg", "m.jpg", 0.9, "pdq"), (NASTY, "m.jpg", 0.5, "pdq"))
    (path,) = write_pages(tmp_path, listed, *sets)
    browser.open(path.as_uri())
    browser.press("yn")
    browser.run("kept")
    browser.open(path.as_uri())
    assert browser.run_until("document.getElementById('state').textContent", "2 of 2 judged")
    browser.press("s")
    browser.wait_for("Browser.downloadProgress", state="completed")
    assert read_verdicts([tmp_path / "judged-001.csv"]) == {("q.jpg", "m.jpg"): True, (NASTY, "m.jpg"): False}
