"""Names of igdet 0.1 that scripts import are those of today's modules."""

import igdet
from igdet.checkpoint import catalog
from igdet.config import check, check_config
from igdet.curation import normalising, parsing
from igdet.curation.lexicon import words
from igdet.data import keypoint_metadata
from igdet.data.readers import coco
from igdet.formats import catalog as todays_catalog
from igdet.formats.posts import parsing as todays_parsing


def test_former_names_are_todays():
    assert normalising.normal_forms is words.normal_forms
    assert parsing.tags_of_captions is todays_parsing.tags_of_captions
    assert keypoint_metadata.keypoint_metadata is coco.keypoint_metadata
    assert catalog.WEIGHTS is todays_catalog.WEIGHTS
    assert check_config is check.check_config
    assert igdet.modeling.FAMILY and igdet.checkpoint.IgdetCheckpointer
