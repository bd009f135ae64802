"""How often labels are used (Zipf's law), how many hashtags a post has, and what resampling makes of it."""

import math
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from markupsafe import Markup

from igdet.curation.report.entries import Section, number
from igdet.curation.report.outcome import Outcome
from igdet.curation.stages import labels, vocabulary
from igdet.reporting.charts import Series, bar_chart, line_chart, log_spaced_ranks
from igdet.reporting.tables import EMPTY, Entry, Table
from igdet.sampling import PHI

# Below, counts take so few values that long ties make stairs of the curve.
MIN_POSTS = 5
_ALL, _VOCABULARY, _FIT = 0, 1, 2  # styles in the charts
MOST = 30  # tags of a post that a bar is drawn for; the last one stands for all above as well


class ZipfFit(NamedTuple):
    """f(r) = C r^-s (G. K. Zipf, Human Behavior and the Principle of Least Effort, 1949).

    Attributes:
        exponent: s.
        error: standard error of s.
        constant: C, the posts at rank 1.
        last_rank: ranks 1 to this one were fitted.
    """

    exponent: float
    error: float
    constant: float
    last_rank: int

    def __call__(self, ranks: np.ndarray) -> np.ndarray:
        """Return f of ranks."""
        return self.constant * np.asarray(ranks, np.float64) ** -self.exponent


def fit_zipf(posts: np.ndarray) -> ZipfFit | None:
    """Fit Zipf's law by least squares in logarithms, at ranks evenly spaced in the logarithm.

    Args:
        posts: int (L,): posts a label, descending; those below `MIN_POSTS` are not fitted.

    Returns:
        The fit; None with fewer than three labels to fit.
    """
    # Hashtags follow the law in outline only. Maximum likelihood, right for data drawn from it (Clauset, Shalizi and
    # Newman, arXiv 0706.1062), weighs every occurrence: it would describe the few labels at the head, with an error
    # that shrinks with the number of posts. Here head and tail weigh alike, as in the plot, and the error says how far
    # the curve is from a straight line.
    ranks = log_spaced_ranks(int(np.count_nonzero(posts >= MIN_POSTS)))
    if len(ranks) < 3:
        return None
    x, y = np.log(ranks), np.log(posts[ranks - 1])
    away = x - x.mean()
    slope = away @ y / (away @ away)
    intercept = y.mean() - slope * x.mean()
    residuals = y - intercept - slope * x
    # Standard error of a slope: sqrt(sum e^2 / (n - 2) / sum (x - mean x)^2).
    error = math.sqrt(residuals @ residuals / (len(x) - 2) / (away @ away))
    return ZipfFit(float(-slope), error, math.exp(intercept), int(ranks[-1]))


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


def resampling_section(outcome: Outcome) -> Section | None:
    """Expected images against rank; None for an empty vocabulary."""
    table = outcome.sampling
    if not len(table):
        return None
    lines = [_resampled_curve(style, resampling, table) for style, resampling in enumerate(PHI)]
    chart = line_chart(
        "Expected images a label", ("rank of the label", "images in an epoch"), lines, scale="logarithmic"
    )
    header = ["Resampling", "most frequent label", "median label", "rarest label", "largest r(h)"]
    note = "Images of a label among those of an epoch of the same length; r(h) is how often a label’s images repeat."
    return Section("Resampling", [Table("", header, [_row(name, table) for name in PHI], note)], [chart])


def _resampled_curve(style: int, resampling: str, table: pa.Table) -> Series:
    """Means over the labels between two plotted ranks: of single labels the curve would be noise."""
    images = table[f"images_{resampling}"].to_numpy()
    ranks = log_spaced_ranks(len(images))
    starts = ranks - 1
    means = np.add.reduceat(images, starts) / np.diff(starts, append=len(images))
    return Series(style, ranks.tolist(), means.tolist(), name=_title(resampling))


def _row(resampling: str, table: pa.Table) -> list[Entry]:
    images = table[f"images_{resampling}"].to_numpy()
    factor = table[f"factor_{resampling}"].to_numpy().max()
    return [
        Entry(_title(resampling)),
        *map(number, (images[0], np.median(images), images[-1])),
        Entry(f"{factor:,.3g}", "number"),
    ]


def _title(resampling: str) -> str:
    return resampling.replace("_", " ")
