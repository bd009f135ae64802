"""Lexica: which words name which label, and how the labels are related."""

from igdet.curation.lexicon.errors import LexiconError
from igdet.curation.lexicon.lexicon import Lexicon

__all__ = ["Lexicon", "LexiconError"]
