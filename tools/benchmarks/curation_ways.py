"""Ways to do one piece of work on posts: normal forms, labels, counts of both, Parquet; igdet's and its peers'.

The peers get the forms and labels of igdet's lexicon as a table, need not look for years behind a word, and count
hashtags by occurrence rather than by post.
"""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from igdet.curation.labels.canonical import Canonicaliser
from igdet.curation.lexicon import Lexicon

SEPARATORS = "[\\s_\\-\u2010\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe0e\ufe0f\ufeff]+"
FILES_A_PART = 10  # about what ENGINE.SLICE_MB makes of such posts
COUNTS = "counts.parquet"  # label, posts
TAGS = "tags.parquet"  # normal form, label, how often it is used
POSTS = "posts.parquet"  # id, image, labels


def igdet(posts: Path, output: Path) -> None:
    """The stage of igdet that does it, and counts hashtags as well."""
    from igdet.curation import engine
    from igdet.curation.reading import SourceSettings
    from igdet.curation.settings import Curation
    from igdet.curation.stages import labels
    from igdet.utils.arrow import leave_pandas_out

    leave_pandas_out()  # as the command does
    curation = Curation(str(output), SourceSettings([str(posts)], tags="tags"))
    engine.start(curation.engine)
    for number, file in enumerate(sorted(posts.glob("*.parquet"))):
        part = output / "posts" / f"part-{number // FILES_A_PART:05d}"
        part.mkdir(parents=True, exist_ok=True)
        (part / file.name).symlink_to(file.resolve())
    labels.STAGE.run(curation, "benchmark")
    table = pq.read_table(output / labels.LABELS, columns=["label", "posts"])
    pq.write_table(table, output / COUNTS)


def forms() -> pa.Table:
    """Every form of the lexicon with its label."""
    return Canonicaliser(Lexicon.wordnet()).forms().rename_columns(["normal", "label"])


def polars_join(posts: Path, output: Path) -> None:
    """Polars, streaming: hashtags in rows of their own, joined with the labels of the distinct ones."""
    import polars as pl

    scan = pl.scan_parquet(posts / "*.parquet")
    mapping = _polars_mapping(scan, output)
    rows = (
        scan.with_row_index("row")
        .select("row", "tags")
        .explode("tags")
        .join(mapping.lazy(), left_on="tags", right_on="tag")
    )
    labels = rows.unique(["row", "label"]).group_by("row").agg(pl.col("label").alias("labels"))
    joined = scan.with_row_index("row").select("row", "id", "image").join(labels, on="row", how="left")
    _polars_write(joined.select("id", "image", "labels"), output)


def polars_replace(posts: Path, output: Path) -> None:
    """Polars, streaming: hashtags replaced within their lists."""
    import polars as pl

    scan = pl.scan_parquet(posts / "*.parquet")
    mapping = _polars_mapping(scan, output)
    replaced = pl.element().replace_strict(mapping["tag"], mapping["label"])
    labels = pl.col("tags").list.eval(replaced).list.unique().alias("labels")
    _polars_write(scan.select("id", "image", labels), output)


def _polars_mapping(scan, output: Path):
    """Count the distinct hashtags, and give their labels."""
    import polars as pl

    occurrences = scan.select(pl.col("tags").explode().alias("tag"))
    tags = occurrences.group_by("tag").agg(pl.len().alias("uses")).collect(engine="streaming")
    normal = (
        pl.col("tag")
        .str.normalize("NFKC")
        .str.to_lowercase()
        .str.replace_all(SEPARATORS, "")
        .str.strip_chars_start("#")
    )
    known = pl.from_arrow(forms())
    labelled = tags.with_columns(normal=normal).join(known, on="normal", how="left")
    labelled = labelled.with_columns(pl.coalesce("label", "normal").alias("label"))
    labelled.group_by("normal", "label").agg(pl.col("uses").sum()).write_parquet(output / TAGS)
    return labelled.select("tag", "label")


def _polars_write(frame, output: Path) -> None:
    import polars as pl

    frame.sink_parquet(output / POSTS, compression="zstd")
    counts = pl.scan_parquet(output / POSTS).select(pl.col("labels").explode().alias("label"))
    counts.group_by("label").agg(pl.len().alias("posts")).sink_parquet(output / COUNTS)


def pandas(posts: Path, output: Path) -> None:
    """Pandas: the distinct hashtags are mapped once, by Python."""
    import re

    import pandas as pd

    table = pd.read_parquet(posts)
    rows = table["tags"].explode()
    codes, distinct = pd.factorize(rows)
    separators = re.compile(SEPARATORS)
    labels_of = dict(zip(*(column.to_pylist() for column in forms().columns), strict=True))
    normals = [separators.sub("", unicodedata.normalize("NFKC", tag).casefold()).lstrip("#") for tag in distinct]
    meant = [labels_of.get(normal, normal) for normal in normals]
    uses = pd.DataFrame({"normal": normals, "label": meant, "uses": np.bincount(codes)})
    uses.groupby(["normal", "label"], as_index=False).sum().to_parquet(output / TAGS)
    labels = pd.Series(meant).take(codes)
    labels.index = rows.index
    carried = labels.rename("label").rename_axis("post").reset_index().drop_duplicates()
    table["labels"] = carried.groupby("post")["label"].agg(list)
    table[["id", "image", "labels"]].to_parquet(output / POSTS, compression="zstd")
    counts = carried["label"].value_counts().rename_axis("label").rename("posts").reset_index()
    counts.to_parquet(output / COUNTS)


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "igdet": igdet,
    "polars, join": polars_join,
    "polars, replace": polars_replace,
    "pandas": pandas,
}
