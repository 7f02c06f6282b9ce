"""Sealing in the publisher: which sections, with which keys, and the way from one key to the next."""
