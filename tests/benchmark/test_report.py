"""The page as a whole: self-contained, complete, honest about what is missing."""

import re
from html.parser import HTMLParser

from igdet.benchmark.cells import LOG, expand
from igdet.benchmark.collect import Study
from igdet.benchmark.report import write_report
from igdet.benchmark.suite_file import read_suite

VOID = {"meta", "br", "img", "link"}


class Balance(HTMLParser):
    """Notes tags that are not closed in their order."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong = [], []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        """<path/> needs no end."""

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def page(study):
    return write_report(study).read_text(encoding="utf-8")


def test_files_of_a_report(study):
    assert write_report(study) == study.suite.folder / "report.html"
    names = {path.name for path in study.suite.folder.iterdir() if path.is_file()}
    assert {"report.html", "report.md", "transfer.csv", "results.csv", "transfer.tex"} <= names


def test_page_needs_nothing_else(study):
    html = page(study)
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', html)
    assert "<script" not in html
    assert "url(http" not in html and "@import" not in html


def test_page_is_well_formed(study):
    balance = Balance()
    balance.feed(page(study))
    assert (balance.open, balance.wrong) == ([], [])


def test_page_holds_answer_tables_and_commands(study):
    html = page(study)
    for text in ("▲ +12.0 ± 2.0", "15 of 15", "not published here", "--config-file boxes.yaml", "prefers-color-scheme"):
        assert text in html
    assert "Not complete" not in html


def test_a_suite_with_axes_has_its_curves(write_suite, finish):
    sizes = {name: {"X": float(name), "PRETRAINING": {"SOLVER.IMAGES_SEEN": int(name)}} for name in ("10", "100")}
    suite = read_suite(write_suite(AXES={"posts": {"TITLE": "Posts", "SCALE": "log", "VALUES": sizes}}))
    cells = expand(suite)
    assert "Along the axes" not in page(Study(suite, cells))
    for cell in cells:
        finish(cell, {} if cell.target == "pretraining" else {"classification": {"top1": 50}, "bbox": {"AP": 10}})
    html = page(Study(suite, cells))
    assert html.count('aria-label="Top-1"') == 1 and html.count("Along the axes") == 1


def test_titles_are_escaped(write_suite):
    suite = read_suite(write_suite(TITLE="<b>bold</b>"))
    assert "<h1>&lt;b&gt;bold&lt;/b&gt;</h1>" in page(Study(suite, expand(suite)))


def test_failures_are_shown_with_their_log(suite):
    cell = expand(suite)[0]
    cell.write_record(state="failed", why="exit code 1", seconds=1)
    (cell.folder / LOG).write_text("first\n" + "FloatingPointError: loss <mask>\n")
    html = page(Study(suite, expand(suite)))
    assert "seed0/pretraining/hashtag failed: exit code 1" in html
    assert "FloatingPointError: loss &lt;mask&gt;" in html
    assert "Not complete: 1 failed, 2 waiting, 2 blocked" in html


def test_a_metric_that_no_run_has_is_named(write_suite, finish):
    target = {"TITLE": "T", "CONFIG": "boxes.yaml", "METRICS": {"bbox/APP": "AP"}}
    suite = read_suite(write_suite(TARGETS={"t": target}))
    finish(expand(suite)[1], {"bbox": {"AP": 1.0}})
    assert "No run of t has the metric bbox/APP; it has val/bbox/AP." in page(Study(suite, expand(suite)))


def test_empty_matrix_has_a_report(suite):
    assert "No comparison is finished yet." in page(Study(suite, expand(suite)))
