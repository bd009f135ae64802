"""Lexica: which words name which label, and how the labels are related."""

from igdet.curation.lexicon.lexicon import Lexicon
from igdet.curation.lexicon.table import LexiconError

__all__ = ["Lexicon", "LexiconError"]
