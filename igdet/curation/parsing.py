"""Hashtags out of captions, strings and lists, under the name that scripts for igdet 0.1 know."""

from igdet.formats.posts.parsing import Limited, limited, tags_of_captions, tags_of_lists, tags_of_strings

__all__ = ["Limited", "limited", "tags_of_captions", "tags_of_lists", "tags_of_strings"]
