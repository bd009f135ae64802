"""Labels of posts to label ids: the number of each in a vocabulary."""

from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from igdet.curation.labels.label_table import read_labels

FIELDS = pa.struct([("labels", pa.list_(pa.int32()))])


class Numberer:
    """The batch function of numbering.

    Args:
        labels: the table of the vocabulary's labels, which other machines must reach as well; a label's number is
            its row.
    """

    def __init__(self, labels: Path):
        self._path = labels

    @cached_property
    def _labels(self) -> pa.Array:
        return read_labels(self._path)["label"].combine_chunks()

    def __call__(self, labels: pa.ListArray) -> pa.StructArray:
        """Number the labels of a batch of posts.

        Args:
            labels: list<string> (n,), each label once a post.

        Returns:
            struct (n,) of `FIELDS`: the numbers, ascending; labels outside the vocabulary are gone.
        """
        written = labels.flatten().dictionary_encode()
        numbers = pc.fill_null(pc.index_in(written.dictionary, self._labels), -1).to_numpy()[written.indices.to_numpy()]
        posts = np.repeat(np.arange(len(labels)), pc.fill_null(pc.list_value_length(labels), 0).to_numpy())
        pairs = np.sort((posts * len(self._labels) + numbers)[numbers >= 0], kind="stable")
        posts, numbers = np.divmod(pairs, max(len(self._labels), 1))
        offsets = np.searchsorted(posts, np.arange(len(labels) + 1)).astype(np.int32)
        lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(numbers.astype(np.int32)))
        return pa.StructArray.from_arrays([lists], fields=list(FIELDS))
