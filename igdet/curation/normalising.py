"""Normal forms of hashtags, under the name that scripts for igdet 0.1 know."""

from igdet.curation.lexicon.words import normal_forms, word_forms

__all__ = ["normal_forms", "word_forms"]
