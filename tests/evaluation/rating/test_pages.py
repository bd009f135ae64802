"""Pages for raters: what they hold, and how they behave in a browser."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from igdet.evaluation.rating import pages
from igdet.evaluation.rating.pages import write_rating_pages
from igdet.evaluation.rating.questions import Disagreement, Questions
from igdet.evaluation.rating.rectified import rectify
from igdet.evaluation.rating.votes import Question, read_votes

NAMES = ["ant", "bee", '<cat> & "co"']


def image(name: str) -> np.ndarray:
    return np.full((40, 512, 3), 10 * ord(name[0]) % 256, np.uint8)


def items(text: str) -> list[tuple[str, int]]:
    return [(image, int(c)) for image, c in re.findall(r'data-item data-image="(.*?)" data-class="(\d+)"', text)]


def test_a_page_asks_about_label_and_prediction_and_needs_no_other_file(questions, tmp_path):
    (path,) = write_rating_pages(tmp_path, questions, image, NAMES)
    text = path.read_text()
    asked = [{(row.image_id, row.label), (row.image_id, row.prediction)} for row in questions.disagreements]
    found = items(text)
    assert [set(found[i : i + 2]) for i in range(0, len(found), 2)] == asked
    assert "&lt;cat&gt; &amp; &#34;co&#34;" in text and "<cat>" not in text
    sources = re.findall(r'(?:src|href)="(.*?)"', text)
    assert [source[:23] for source in sources] == ["data:image/jpeg;base64,"] * 3
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(sources[0][23:]))))
    assert shown.shape == (20, 256, 3)
    assert np.abs(shown - image(questions.disagreements[0].image_id)[0, 0].astype(int)).max() < 5


def test_the_order_does_not_tell_which_one_is_the_label(tmp_path):
    rows = [Disagreement(f"{number}.png", 0, 1) for number in range(200)]
    (path,) = write_rating_pages(tmp_path, Questions("f", 200, 0, rows), image, NAMES)
    label_first = sum(class_id == 0 for _, class_id in items(path.read_text())[::2])
    assert 70 < label_first < 130  # four standard deviations about half


def test_pages_are_cut_and_earlier_ones_go(questions, tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "CARDS_ON_PAGE", 2)
    paths = write_rating_pages(tmp_path, questions, image, NAMES)
    assert [path.name for path in paths] == ["rating-001.html", "rating-002.html"]
    monkeypatch.setattr(pages, "CARDS_ON_PAGE", 3)
    assert len(write_rating_pages(tmp_path, questions, image, NAMES)) == len(list(tmp_path.glob("*.html"))) == 1


@pytest.mark.parametrize("width", [1280, 500])
def test_the_question_and_its_image_are_seen(questions, tmp_path, browser, width):
    (path,) = write_rating_pages(tmp_path, questions, image, NAMES)
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=700, deviceScaleFactor=1, mobile=False)
    browser.open(path.as_uri())
    edges = "(() => {{ const box = {}.getBoundingClientRect(); return [box.top, box.bottom]; }})()"
    current = "document.querySelector('.current')"
    for key in ("", "y", "n", "n"):  # both questions of a card, and on to the next
        browser.press(key)
        header, asked, shown = (
            browser.run(edges.format(element))
            for element in (
                "document.querySelector('header')",
                current,
                f"{current}.closest('article').querySelector('img')",
            )
        )
        assert header[0] == 0 < header[1] < shown[0] < shown[1] < asked[0] < asked[1] < 700


def test_rating_in_a_browser(questions, tmp_path, browser):
    (path,) = write_rating_pages(tmp_path, questions, image, NAMES)
    browser.open(path.as_uri())
    state, name = "document.getElementById('state').textContent", "document.getElementById('rater').value"
    browser.press("yznu")  # yes, taken back, no, unsure
    assert browser.run(state) == "2 of 6 judged"
    browser.run("kept")
    browser.open(path.as_uri())
    assert browser.run_until(state, "2 of 6 judged")
    browser.press("y")  # goes on with the third question
    browser.press("s")
    assert browser.run(state) == "Type your name, then save"
    browser.press("Yuna")  # typed into the field, not voted
    browser.run("document.getElementById('rater').blur()")
    assert browser.run(name) == "Yuna"
    browser.press("s")
    browser.wait_for("Browser.downloadProgress", state="completed")
    browser.run("kept")
    browser.open(path.as_uri())
    assert browser.run_until(name, "Yuna")  # whoever rates on keeps the name
    answers = dict(zip(items(path.read_text()), ("no", "unsure", "yes"), strict=False))
    votes = read_votes([tmp_path / "ratings-Yuna-001.json"], questions)
    assert votes == {Question(*item): {"yuna": answer} for item, answer in answers.items()}
    rated = sum((row.image_id, row.prediction) in answers for row in questions.disagreements)
    assert rectify(questions, votes).rated == rated


def test_two_tabs_keep_each_other_s_answers(questions, tmp_path, browser):
    (path,) = write_rating_pages(tmp_path, questions, image, NAMES)
    state = "document.getElementById('state').textContent"
    browser.open(path.as_uri())
    other_tab = "transact('readwrite', (store) => store.put([{item}, '{verdict}'], [pageId, {item}]))"
    browser.run(f"restore().then(() => {other_tab.format(item=4, verdict='no')})")
    browser.press("yy")
    browser.run("kept.then(restore)")
    assert browser.run(state) == "3 of 6 judged"
    browser.run(other_tab.format(item=0, verdict="unsure"))  # what was judged here is judged otherwise there
    browser.run("dispatchEvent(new Event('focus'))")
    assert browser.run_until("items.map((item) => item.dataset.verdict).join()", "unsure,yes,,,no,")
    browser.open(path.as_uri())
    assert browser.run_until("items.map((item) => item.dataset.verdict).join()", "unsure,yes,,,no,")


def test_what_could_not_be_kept_is_still_there_when_the_tab_is_seen_again(questions, tmp_path, browser):
    (path,) = write_rating_pages(tmp_path, questions, image, NAMES)
    browser.open(path.as_uri())
    browser.run("restore()")
    browser.run("IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); }")
    browser.press("y")
    browser.run("kept.then(restore)")
    assert browser.run("document.getElementById('state').textContent").startswith("1 of 6 judged; this browser keeps")


def test_a_browser_that_keeps_nothing_is_told_of(questions, tmp_path, browser):
    (path,) = write_rating_pages(tmp_path, questions, image, NAMES)
    browser.call("Page.addScriptToEvaluateOnNewDocument", source="delete window.indexedDB; var indexedDB = null;")
    browser.open(path.as_uri())
    browser.press("y")
    assert browser.run_until(
        "document.getElementById('state').textContent",
        "1 of 6 judged; this browser keeps nothing, save before you leave",
    )
