"""The engine of curation, Daft on this machine or on each of a Ray cluster: nothing outside knows which."""

from igdet.curation.engine.batches import rewrite
from igdet.curation.engine.counts import count_rows, sum_counts, sum_up, write_counts
from igdet.curation.engine.errors import EngineError
from igdet.curation.engine.frames import (
    BATCH,
    FORMATS,
    VERSION,
    column_types,
    first_cells,
    map_batches,
    read,
    write,
    write_buckets,
)
from igdet.curation.engine.listing import SourceFile, list_files, open_url
from igdet.curation.engine.work import Done, EngineSettings, at_once, map_in_order, start

__all__ = [
    "BATCH",
    "FORMATS",
    "VERSION",
    "Done",
    "EngineError",
    "EngineSettings",
    "SourceFile",
    "at_once",
    "column_types",
    "count_rows",
    "first_cells",
    "list_files",
    "map_batches",
    "map_in_order",
    "open_url",
    "read",
    "rewrite",
    "start",
    "sum_counts",
    "sum_up",
    "write",
    "write_buckets",
    "write_counts",
]
