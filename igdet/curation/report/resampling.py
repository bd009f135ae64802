"""How many images of each label an epoch holds under each resampling."""

import numpy as np
import pyarrow as pa

from igdet.curation.report.entries import number
from igdet.curation.report.outcome import Outcome
from igdet.curation.report.section import Section
from igdet.sampling import PHI
from igdet.utils.charts import Series, line_chart
from igdet.utils.ranks import log_spaced_ranks
from igdet.utils.table import Entry, Table


def resampling_section(outcome: Outcome) -> Section | None:
    """Expected images against rank; None for an empty vocabulary."""
    table = outcome.sampling
    if not len(table):
        return None
    lines = [_curve(style, resampling, table) for style, resampling in enumerate(PHI)]
    chart = line_chart(
        "Expected images a label", ("rank of the label", "images in an epoch"), lines, scale="logarithmic"
    )
    header = ["Resampling", "most frequent label", "median label", "rarest label", "largest r(h)"]
    note = "Images of a label among those of an epoch of the same length; r(h) is how often a label’s images repeat."
    return Section("Resampling", [Table("", header, [_row(name, table) for name in PHI], note)], [chart])


def _curve(style: int, resampling: str, table: pa.Table) -> Series:
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
