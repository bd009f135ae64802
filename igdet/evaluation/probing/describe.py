"""The table of protocols, made from the protocols themselves."""

from igdet.evaluation.probing.protocols import PROTOCOLS
from igdet.utils.table import Entry, Table


def protocol_table() -> str:
    """The protocols on frozen features as Markdown rows."""
    rows = [
        [Entry(f"`{name}`"), Entry(protocol.classifier), Entry(protocol.chosen), Entry(protocol.reported)]
        for name, protocol in PROTOCOLS.items()
    ]
    table = Table("", ["Protocol", "Classifier", "Chosen", "Reported"], rows)
    return table.markdown()
