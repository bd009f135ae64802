"""Names of the files that the lexicon is shipped as."""

from pathlib import Path

FOLDER = Path(__file__).parent
TABLE_NAME = "wordnet.parquet"  # WordNet as it is; the columns are `wordnet_files.SCHEMA`
LICENCE_NAME = "WORDNET_LICENSE"
IRREGULAR_NAME = "noun.exc"  # WordNet's irregular plurals as they are: "plural singular..." a line
JUDGED_NAME = "hashtag_senses.csv"  # our own: word, label ("" for none), reason
