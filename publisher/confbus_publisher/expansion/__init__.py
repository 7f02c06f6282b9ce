"""`${…}` in values: its grammar, what it may read, and the one pass over a merge that replaces it."""
