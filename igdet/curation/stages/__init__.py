"""The stages of a curation, in their order: posts, labels, vocabulary, duplicates, shards."""
