"""The errors that are the user's to mend: their message says it all, and a traceback would only bury it."""

from igdet.checkpoint import WeightsError
from igdet.config import ConfigError
from igdet.data.errors import DatasetError
from igdet.shards.format import ShardError
from igdet.vocabulary import VocabularyError

USER_ERRORS = (ConfigError, DatasetError, ShardError, VocabularyError, WeightsError, FloatingPointError)
