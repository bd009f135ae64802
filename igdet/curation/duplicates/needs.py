"""What a search for near-duplicates takes of memory and disk."""

from igdet.curation.duplicates.hamming import BYTES_A_PICTURE
from igdet.curation.duplicates.index import plan
from igdet.curation.duplicates.whitening import DIM
from igdet.utils.errors import UserError


def describe_needs(count: int, channels: int) -> str:
    """Give the index that is chosen, and one line a figure.

    Args:
        count: training pictures, >= 1.
        channels: of the network's last feature map, >= 1.

    Raises:
        UserError: one of them is less than 1.
    """
    if min(count, channels) < 1:
        raise UserError(f"{count} pictures, {channels} channels: expected 1 or more of both")
    layout = plan(count, min(DIM, channels))
    sizes = {
        "PDQ: memory, within the set": count * BYTES_A_PICTURE,
        "R-MAC: disk, features": 2 * count * channels,  # float16
        "R-MAC: memory, vectors": layout.vectors_bytes,
        "R-MAC: memory, index": layout.index_bytes,
        "R-MAC: memory, its training": layout.training_bytes,
        "R-MAC: memory, at most": layout.memory_bytes,
    }
    title = f"{count:,} pictures, {channels:,} channels: faiss index {layout.factory}, {layout.dim} numbers each"
    return "\n".join([title, *(f"  {name:<28}{size / 1e9:8.2f} GB" for name, size in sizes.items())])
