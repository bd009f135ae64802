"""How often labels are used, and how many hashtags and labels a post has."""

import numpy as np
import pyarrow as pa
from markupsafe import Markup

from igdet.curation.report.entries import number
from igdet.curation.report.outcome import Outcome
from igdet.curation.report.section import Section
from igdet.curation.report.zipf import MIN_POSTS, ZipfFit, fit_zipf
from igdet.curation.stages import labels, vocabulary
from igdet.utils.charts import Series, bar_chart, line_chart
from igdet.utils.ranks import log_spaced_ranks
from igdet.utils.table import EMPTY, Entry, Table

_ALL, _VOCABULARY, _FIT = 0, 1, 2  # styles in the charts
MOST = 30  # tags of a post that a bar is drawn for; the last one stands for all above as well


def distributions_section(outcome: Outcome) -> Section:
    """Rank and frequency of labels with Zipf's law, and histograms of hashtags and labels per post."""
    parts = [_frequencies(outcome)] if labels.FOLDER in outcome.manifests else []
    charts, tables = zip(*parts, _per_post(outcome), strict=True)
    return Section("How often labels are used, and how many a post has", tables, [chart for chart in charts if chart])


def _frequencies(outcome: Outcome) -> tuple[str, Table]:
    tables = {"all labels": outcome.labels}
    if vocabulary.FOLDER in outcome.manifests:
        tables["vocabulary"] = outcome.kept
    posts = {name: _descending(table) for name, table in tables.items()}
    fits = {name: fit_zipf(of_labels) for name, of_labels in posts.items()}
    lines = [_curve(style, name, of_labels) for style, (name, of_labels) in enumerate(posts.items()) if len(of_labels)]
    lines += [_fit_line(fits["all labels"])] if fits["all labels"] else []
    rows = [[Entry(name), number(len(posts[name])), *_fit_entries(fit)] for name, fit in fits.items()]
    note = Markup(
        "f(r) = C · r<sup>−s</sup>, least squares in logarithms at ranks evenly spaced in the logarithm, over the "
        "labels with {} posts or more; ± standard error of s."
    ).format(MIN_POSTS)
    chart = line_chart("Posts a label", ("rank of the label", "posts"), lines, scale="logarithmic") if lines else ""
    return chart, Table("", ["Zipf’s law", "labels", "ranks fitted", "exponent s", "C"], rows, note)


def _descending(table: pa.Table) -> np.ndarray:
    posts = np.sort(table["posts"].to_numpy())[::-1]
    return posts[posts > 0]


def _curve(style: int, name: str, posts: np.ndarray) -> Series:
    ranks = log_spaced_ranks(len(posts))
    return Series(style, ranks.tolist(), posts[ranks - 1].tolist(), name=name)


def _fit_line(fit: ZipfFit) -> Series:
    ends = np.array([1, fit.last_rank])
    return Series(_FIT, ends.tolist(), fit(ends).tolist(), name=f"Zipf, s = {fit.exponent:.2f}", dashed=True)


def _fit_entries(fit: ZipfFit | None) -> list[Entry]:
    if fit is None:
        return [Entry(EMPTY, "number")] * 3
    exponent = Entry(f"{fit.exponent:.3f} ± {fit.error:.3f}", "number")
    return [Entry(f"1–{fit.last_rank:,}", "number"), exponent, number(fit.constant)]


def _per_post(outcome: Outcome) -> tuple[str, Table]:
    lengths = {"hashtags as written": outcome.tags_per_post}
    if vocabulary.FOLDER in outcome.manifests:
        lengths["labels of the vocabulary"] = outcome.labels_per_post
    groups = [_bars(style, name, counts) for style, (name, counts) in enumerate(lengths.items()) if counts.sum()]
    rows = [[Entry(name), number(counts.sum()), *_per_post_entries(counts)] for name, counts in lengths.items()]
    notes = ["Labels: of the posts that have any."] if len(lengths) > 1 else []
    notes += (
        [f"Bar {MOST} stands for {MOST} and more."]
        if any(len(counts) > MOST + 1 for counts in lengths.values())
        else []
    )
    chart = bar_chart("Hashtags and labels a post", ("number", "share of posts, %"), groups) if groups else ""
    return chart, Table("", ["Per post", "posts", "mean", "median", "most"], rows, " ".join(notes))


def _bars(style: int, name: str, counts: np.ndarray) -> Series:
    shown = np.bincount(np.minimum(np.arange(len(counts)), MOST), counts)
    return Series(style, list(range(len(shown))), (100 * shown / counts.sum()).tolist(), name=name)


def _per_post_entries(counts: np.ndarray) -> list[Entry]:
    total = counts.sum()
    if not total:
        return [Entry(EMPTY, "number")] * 3
    mean = np.arange(len(counts)) @ counts / total
    median = int(np.searchsorted(np.cumsum(counts), total / 2))  # the lower one of two
    return [Entry(f"{mean:.2f}", "number"), number(median), number(np.flatnonzero(counts)[-1])]
