"""Pages for raters: what they hold, and how they behave in a browser."""

import base64
import io
import re

import numpy as np
from PIL import Image

from igdet.evaluation.rating import pages
from igdet.evaluation.rating.disagreements import Disagreement, Questions
from igdet.evaluation.rating.pages import write_rating_pages
from igdet.evaluation.rating.rectified import rectify
from igdet.evaluation.rating.votes import Question, read_votes

NAMES = ["ant", "bee", '<cat> & "co"']


def picture(name: str) -> np.ndarray:
    return np.full((40, 512, 3), 10 * ord(name[0]) % 256, np.uint8)


def items(text: str) -> list[tuple[str, int]]:
    return [(image, int(c)) for image, c in re.findall(r'data-item data-image="(.*?)" data-class="(\d+)"', text)]


def test_a_page_asks_about_label_and_prediction_and_needs_no_other_file(questions, tmp_path):
    (path,) = write_rating_pages(tmp_path, questions, picture, NAMES)
    text = path.read_text()
    asked = [{(row.image_id, row.label), (row.image_id, row.prediction)} for row in questions.disagreements]
    found = items(text)
    assert [set(found[i : i + 2]) for i in range(0, len(found), 2)] == asked
    assert "&lt;cat&gt; &amp; &#34;co&#34;" in text and "<cat>" not in text
    sources = re.findall(r'(?:src|href)="(.*?)"', text)
    assert [source[:23] for source in sources] == ["data:image/jpeg;base64,"] * 3
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(sources[0][23:]))))
    assert shown.shape == (20, 256, 3)
    assert np.abs(shown - picture(questions.disagreements[0].image_id)[0, 0].astype(int)).max() < 5


def test_the_order_does_not_tell_which_one_is_the_label(tmp_path):
    rows = [Disagreement(f"{number}.png", 0, 1) for number in range(200)]
    (path,) = write_rating_pages(tmp_path, Questions("f", 200, 0, rows), picture, NAMES)
    label_first = sum(class_id == 0 for _, class_id in items(path.read_text())[::2])
    assert 70 < label_first < 130  # four standard deviations about half


def test_pages_are_cut_and_earlier_ones_go(questions, tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "CARDS_ON_PAGE", 2)
    paths = write_rating_pages(tmp_path, questions, picture, NAMES)
    assert [path.name for path in paths] == ["rating-001.html", "rating-002.html"]
    monkeypatch.setattr(pages, "CARDS_ON_PAGE", 3)
    assert len(write_rating_pages(tmp_path, questions, picture, NAMES)) == len(list(tmp_path.glob("*.html"))) == 1


def test_rating_in_a_browser(questions, tmp_path, browser):
    (path,) = write_rating_pages(tmp_path, questions, picture, NAMES)
    browser.open(path.as_uri())
    state = "document.getElementById('state').textContent"
    browser.press("yznu")  # yes, taken back, no, unsure
    assert browser.run(state) == "2 of 6 judged"
    browser.open(path.as_uri())
    assert browser.run_until(state, "2 of 6 judged")
    browser.press("y")  # goes on with the third question
    browser.press("s")
    assert browser.run(state) == "Type your name, then save"
    browser.press("Yuna")  # typed into the field, not voted
    browser.run("document.getElementById('rater').blur()")
    assert browser.run(state.replace("state", "rater").replace("textContent", "value")) == "Yuna"
    browser.press("s")
    browser.wait_for("Browser.downloadProgress", state="completed")
    answers = dict(zip(items(path.read_text()), ("no", "unsure", "yes"), strict=False))
    votes = read_votes([tmp_path / "ratings-Yuna-001.json"], questions)
    assert votes == {Question(*item): {"Yuna": answer} for item, answer in answers.items()}
    rated = sum((row.image_id, row.prediction) in answers for row in questions.disagreements)
    assert rectify(questions, votes).rated == rated
