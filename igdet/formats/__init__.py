"""Files shared with others and between igdet's own parts: how each is read, checked, written; free of torch."""
