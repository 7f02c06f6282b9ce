"""Holds: what a person told publishers to leave alone for a while."""
