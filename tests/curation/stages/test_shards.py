"""What the manifest of the shards notes."""

from igdet.curation.shards import Tally
from igdet.curation.stages.shards import _notes


def test_images_without_the_markers_asked_for_are_noted():
    assert _notes(Tally()) == []
    assert _notes(Tally(without_restarts=1234))[0].startswith("1,234 images are without restart markers")
